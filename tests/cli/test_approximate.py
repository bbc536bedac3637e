"""`audiogmm train --approximate`: the model, what was lost, and what it does not go with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calls import Audiogmm

FEW = ("train", "train.jsonl", "--preset", "ambient", "-k", 8, "-o", "m.agmm")


@pytest.mark.parametrize(
    ("how", "kind", "said"),
    [("truncated:2:4", "truncated", "truncated, C=2, G=4: "), ("top:2", "top", "top, C=2, chosen once: ")],
)
def test_a_model_and_what_was_lost(
    how: str, kind: str, said: str, workshop: Path, audiogmm: Audiogmm
) -> None:
    done = audiogmm(*FEW, "--passes", 6, "--approximate", how, "--json")
    assert done.status == 0, done.err
    lost: dict[str, Any] = done.json["approximation"]  # type: ignore[assignment]
    assert (lost["kind"], lost["n_components"]) == (kind, 2)
    assert lost["loss"] == lost["log_likelihood"] - lost["free_energy"] > 0  # 2 of 8 are never all
    assert lost["evaluations"] < 8 or kind == "truncated"
    info = audiogmm("info", "m.agmm")
    assert f"approximation: {said}free energy {lost['free_energy']:.4f}" in info.out
    assert audiogmm("detect", "m.agmm", "test.jsonl", "-o", "e.jsonl").status == 0

    exact = audiogmm(*FEW, "--passes", 6, "--force", "--json").json
    assert exact["approximation"] is None
    assert "approximation" not in audiogmm("info", "m.agmm").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--approximate", "some"), "approximation 'some'; needed: top:C, .*try: top:30 or truncated:5"),
        (("--approximate", "truncated:0"), "approximation 'truncated:0': C=0; needed: at least 1"),
        (("--approximate", "top:2", "--algorithm", "stepwise"), "top.*stepwise|stepwise.*top"),
        (("--approximate", "top:2", "--accelerate"), "top.*accelerate|accelerate.*top"),
    ],
)
def test_what_it_does_not_go_with(
    arguments: tuple[str, ...], message: str, workshop: Path, audiogmm: Audiogmm
) -> None:
    done = audiogmm(*FEW, *arguments)
    assert done.status in (1, 2)
    assert re.search(message, " ".join(done.err.split())), done.err
    assert not Path("m.agmm").exists()
