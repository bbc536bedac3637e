"""Every command of the command line is a verb in Python, with the command's options as keywords."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile

import audiogmm as ag
from audiogmm.cli.deliver_options import NAMES as DELIVERED
from audiogmm.cli.main import COMMANDS
from audiogmm.errors import KindError, ModelFileError
from audiogmm.jobs.detect import detect_to_file
from tests.live.rooms import RATE, saved, with_whistles

OTHER_NAMES = {
    "manifest scan": ["scan"],
    "manifest check": ["check_manifest"],
    "manifest convert": ["convert_manifest"],
    "evaluate verify": ["evaluate_verify"],
    "evaluate detect": ["evaluate_detect"],
    "stream": ["stream", "learn"],
    "info": ["info", "verify_files"],
}
"""Of verbs that are not called as their command."""

OBJECTS = {
    "preset": "frontend",
    "frontend_file": "frontend",
    "alarms_per_day": "alarms_per_hour",
    "stepwise_passes": "stepwise",
    "step_exponent": "stepwise",
    "averaging": "stepwise",
    "replicates": "draws",
    "confidence": "draws",
    "devices": "device",
}
"""Options that are one object in Python, or one keyword."""

OF_COMMAND = {
    "evaluate verify": {
        **dict.fromkeys(("prior", "cost_miss", "cost_false_alarm"), "points"),
        **dict.fromkeys(("seed", "threads"), "draws"),
    },
    "evaluate detect": {
        **dict.fromkeys(("window", "segment", "clip", "max_fpr", "collar", "offset_share"), "criteria"),
        "seed": "draws",
    },
    "demo": {"out": "out"},
}

LEFT_OUT = {
    "as_json": "a result has summary()",
    "verbose": "the logger `audiogmm`",
    "log_json": "the logger `audiogmm`",
    "metrics": "a receiver of one's own as `progress`",
    "output": "what is returned is saved by its own save or write",
    "force": "so is it overwritten",
    "resume": "a run in memory starts again",
    "retry": "a run in memory raises in place of setting aside",
    "strict": "the first bad recording raises, unless `aside` takes it",
    "plot": "a result is drawn by its own plot",
    "quiet_heartbeat": "heartbeat=0",
    "learn": "a verb of its own",
    "lines": "dicts",
    "metrics_port": "a receiver of one's own as `progress`",
    "metrics_token": "a receiver of one's own as `progress`",
    "most_lines": "the caller asks for each line",
    **dict.fromkeys(DELIVERED, "the caller has the events"),
}
"""Options that only a command has, and what is there in Python."""

LEFT_OUT_OF = {
    ("info", "verify"): "verify_files",
    ("info", "inputs"): "jobs.provenance.inputs",
    ("train", "dask"): "reducer=ag.DaskReducer(client)",
    ("score", "format"): "of files",
    ("select", "save"): "ag.train(..., start=selection.model)",
    ("select", "scores"): "of the model that is saved",
    ("detect", "time_zone"): "of the table of hours that a run writes",
    ("stream", "began"): "an Entry with its time",
    ("stream", "time_zone"): "an Entry with its time",
    ("update", "against"): "ag.train on those recordings",
    ("verify", "manifest"): "trials name their entries",
    **{
        (command, option): "of decisions; scores are compared with a threshold"
        for command in ("verify", "fuse")
        for option in ("prior", "cost_miss", "cost_false_alarm")
    },
}
OF_ONE_RECORDING = {
    (command, option): "of runs over several recordings"
    for command in ("score", "detect")
    for option in ("threads", "workers")
}


def leaves() -> Iterator[tuple[str, click.Command]]:
    for name, (module, _) in COMMANDS.items():
        command = importlib.import_module(module).command
        if isinstance(command, click.Group):
            yield from ((f"{name} {sub}", found) for sub, found in command.commands.items())
        else:
            yield name, command


NO_VERB = {"rerun": "it repeats a command line"}

LEAVES = dict(leaves())
VERBS = [name for name in LEAVES if name not in NO_VERB]


@pytest.mark.parametrize("name", VERBS)
def test_a_command_is_a_verb_with_its_options(name: str) -> None:
    verbs = OTHER_NAMES.get(name, [name])
    keywords = {key for verb in verbs for key in inspect.signature(getattr(ag, verb)).parameters}
    as_keyword = OBJECTS | OF_COMMAND.get(name, {})
    missing = [
        option.name
        for option in LEAVES[name].params
        if isinstance(option, click.Option)
        and not option.hidden
        and option.name not in keywords
        and as_keyword.get(str(option.name)) not in keywords
        and option.name not in LEFT_OUT
        and (name, option.name) not in LEFT_OUT_OF | OF_ONE_RECORDING
    ]
    assert missing == []


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_says_what_it_takes_and_runs_in_an_example(name: str) -> None:
    for verb in OTHER_NAMES.get(name, [name]):
        text = inspect.getdoc(getattr(ag, verb)) or ""
        assert "Parameters\n" in text and ">>> " in text, verb


def test_evaluate_is_both_evaluations() -> None:
    with pytest.raises(TypeError, match="no keyword 'collar'"):
        ag.evaluate("scores.csv", collar=1.0)
    with pytest.raises(TypeError, match="no keyword 'column'"):
        ag.evaluate([], [], column="score")


def test_verbs_do_what_commands_do_with_plain_paths(tmp_path: Path) -> None:
    """One recording with whistles, through the verbs that write files; the options are the command's."""
    model, path = saved(tmp_path), tmp_path / "in" / "a.wav"
    path.parent.mkdir()
    soundfile.write(path, with_whistles(6.0, (2.0,)), RATE)
    entries = ag.scan(str(path.parent))
    assert [(entry.id, entry.duration) for entry in entries] == [("a", 6.0)]
    manifest, events = str(tmp_path / "m.jsonl"), tmp_path / "events.jsonl"
    ag.write_manifest(entries, manifest)
    assert ag.check_manifest(manifest).problems == []
    assert ag.convert_manifest(manifest, str(tmp_path / "m.csv")).entries == 1
    assert ag.features(manifest, str(tmp_path / "frames")).frames == 598
    assert ag.info(str(model)).about == ag.info(ag.load(model)).about
    assert len(ag.cluster(str(model), manifest, str(tmp_path / "clusters"), examples=0).rows) == 2

    for how in ({}, {"quantile": 0.8}, {"min_duration": 5.0}, {"reasons": False}):
        detect_to_file(model, manifest, events, force=True, **how)
        found = ag.detect(ag.load(model), entries[0], **how)
        assert found == [ag.Event.from_dict(json.loads(line)) for line in events.read_text().splitlines()]
        assert bool(found) is (how != {"min_duration": 5.0})
    page = ag.report(str(events), str(tmp_path / "page.html"), title="Whistles")
    assert page.output.read_text().count("Whistles") >= 1
    with pytest.raises(TypeError, match="did you mean 'quantile'"):
        ag.detect(ag.load(model), entries[0], quantil=0.9)


def test_every_verb_takes_the_path_of_a_model_or_gallery(tmp_path: Path) -> None:
    path, known, rng = tmp_path / "m.agmm", tmp_path / "known", np.random.default_rng(0)
    sounds = [(0.05 * rng.standard_normal(RATE), RATE) for _ in range(4)]
    model = ag.train(sounds, "kaldi", n_components=2)
    model.save(path)
    same = np.testing.assert_array_equal
    same(ag.score(str(path), sounds[0]).scores, ag.score(model, sounds[0]).scores)
    same(ag.score(model, sounds[0], path).scores, 0.0)
    assert ag.detect(path, sounds[0]) == ag.detect(model, sounds[0])
    assert ag.update(path, sounds[:1]).fingerprint == ag.update(model, sounds[:1]).fingerprint
    again = ag.calibrate(str(path), sounds, against=path, scores="ratio")
    assert (
        again.metadata.detector
        == ag.calibrate(model, sounds, against=model, scores="ratio").metadata.detector
    )
    assert ag.train(sounds, start=str(path), passes=1, hold_out=0).mixture.n_components == 2
    soundfile.write(tmp_path / "ann.wav", *sounds[0])
    ann = ag.Entry(str(tmp_path / "ann.wav"), speaker="ann")
    gallery = ag.enroll(path, [ann], known)
    assert ag.identify(str(known), [ann]) == ag.identify(gallery, [ann])
    assert ag.verify(known, [("ann", ann)]) == ag.verify(gallery, [("ann", ann)])


@pytest.mark.parametrize("verb", ["score", "detect", "update", "calibrate", "classify", "enroll", "info"])
def test_what_is_no_model_is_refused_by_kind(verb: str) -> None:
    given = [(np.zeros(RATE), RATE), "known"][: {"enroll": 2, "info": 0}.get(verb, 1)]
    with pytest.raises(KindError, match="got an int for a model; needed: a Model, or the path of a model"):
        getattr(ag, verb)(3, *given)
    with pytest.raises(KindError, match=r"got a GaussianMixture for a model; .* try: its to_model"):
        getattr(ag, verb)(ag.GaussianMixture(), *given)


def test_what_is_no_gallery_is_refused_by_kind(tmp_path: Path) -> None:
    for call in (lambda known: ag.identify(known, []), lambda known: ag.verify(known, [])):
        with pytest.raises(KindError, match="got an int for a gallery; needed: a Gallery, or the folder"):
            call(3)
        with pytest.raises(ModelFileError, match="is not a gallery of speakers"):
            call(tmp_path)
    with pytest.raises(KindError, match="got an int for a model"):
        ag.load(3)  # type: ignore[arg-type]
