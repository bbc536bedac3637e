"""The choices that the command line offers are those of the tables, so that no table is copied in part."""

from __future__ import annotations

import importlib
from typing import get_args

import click
import pytest

from audiogmm.anomaly.formats import FORMATS as EVENT_FORMATS
from audiogmm.audio.frontend.presets import PRESETS
from audiogmm.cli.main import COMMANDS
from audiogmm.manifest.formats import FORMATS
from audiogmm.mixture.forms import FORMS
from audiogmm.scoring.track_file import SUFFIXES
from audiogmm.training.seeding import Init
from audiogmm.training.settings import Algorithm
from audiogmm.verification.compensation import Kind
from audiogmm.verification.normalization import NORMALIZATIONS
from audiogmm.verification.ratio import Scoring
from audiogmm.verification.recordings.backend_training import BackEndChoice

TABLES = {
    ("train", "covariance_type"): FORMS,
    ("train", "preset"): PRESETS,
    ("train", "algorithm"): get_args(Algorithm),
    ("train", "init"): get_args(Init),
    ("train", "speakers"): get_args(BackEndChoice),
    ("train", "compensation"): get_args(Kind),
    ("select", "init"): get_args(Init),
    ("score", "format"): [suffix.removeprefix(".") for suffix in SUFFIXES],
    ("verify", "scoring"): get_args(Scoring),
    ("verify", "normalization"): NORMALIZATIONS,
    ("detect", "format"): EVENT_FORMATS,
    ("manifest convert", "format"): FORMATS,
    ("manifest convert", "source_format"): FORMATS,
}


@pytest.mark.parametrize(("command", "parameter"), TABLES)
def test_choices_are_those_of_the_table(command: str, parameter: str) -> None:
    name, _, sub = command.partition(" ")
    found: click.Command = importlib.import_module(COMMANDS[name][0]).command
    if sub:
        assert isinstance(found, click.Group)
        found = found.commands[sub]
    (option,) = (p for p in found.params if p.name == parameter)
    assert isinstance(option.type, click.Choice)
    assert set(option.type.choices) == set(TABLES[command, parameter])
