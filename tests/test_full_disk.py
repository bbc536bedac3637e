"""A disk that is full at the n-th page that a command writes: the output is named, and nothing is lost."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.cli.calls import Audiogmm
from tests.disks import small_disk

GOLDEN = Path(__file__).parent / "golden" / "v0_1"

pytestmark = pytest.mark.skipif(not Path("/proc/mounts").exists() or sys.platform != "linux", reason="Linux")

COMMANDS = {
    "train": "train IN/rooms.jsonl -k 2 --passes 2 --preset ambient --hold-out 0 --ledger -o OUT/m.agmm",
    "score": "score IN/diag.agmm IN/rooms.jsonl -o OUT/scores",
    "detect": "detect IN/diag.agmm IN/rooms.jsonl -o OUT/events.jsonl",
    "verify": "verify IN/gallery IN/trials.csv -o OUT/scores.csv",
    "features": "features IN/rooms.jsonl -o OUT/frames",
    "enroll": "enroll IN/gallery/background.agmm IN/voices.jsonl -o OUT/gallery",
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    rng = np.random.default_rng(0)
    rows, voices = [], []
    for i in range(3):
        soundfile.write(folder / f"{i}.wav", 0.1 * rng.normal(size=32000), 16000)
        rows.append({"audio_filepath": f"{i}.wav"})
        voices.append({"audio_filepath": f"{i}.wav", "speaker": f"s{i}"})
    (folder / "rooms.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "voices.jsonl").write_text("".join(json.dumps(row) + "\n" for row in voices))
    (folder / "trials.csv").write_text("model,audio_filepath\nspeaker_0,0.wav\nspeaker_1,1.wav\n")
    shutil.copy(GOLDEN / "diag.agmm", folder)
    shutil.copytree(GOLDEN / "gallery", folder / "gallery")
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """What a user finds: not the checkpoints and journals from which the same command goes on."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not re.search(r"checkpoint|\.journal$|\.run\.json$|sqlite", path.name)
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_is_named_and_loses_nothing(
    audiogmm: Audiogmm, inputs: Path, tmp_path: Path, name: str
) -> None:
    words = COMMANDS[name].replace("IN/", f"{inputs}/")
    whole = tmp_path / "whole"
    assert audiogmm(*words.replace("OUT", str(whole)).split()).status in (0, 3)
    disk, refusals = tmp_path / "disk", 0
    command = words.replace("OUT", str(disk)).split()
    for pages in (2, 4, 8, 16, 50, 95):
        with small_disk(disk, pages) as enlarge:
            (disk / "mine").write_text("precious")
            ran = audiogmm(*command)
            if ran.status in (0, 3):
                break
            refusals += 1
            assert ran.status == 1
            said = ran.err.strip().splitlines()[-1]
            assert re.match(rf"audiogmm: {disk}/[\w./]+ cannot be written: No space left on device", said)
            assert "; try: free some space, or write to another disk" in said
            left = files(disk)
            assert left.pop("mine") == b"precious"
            assert not [path for path in left if ".part" in path or "/." in f"/{path}"]
            if name in ("train", "detect", "verify"):  # nothing, or all but the last stroke
                assert left.keys() in (set(), files(whole).keys())
            # the same command, once there is room, ends as if nothing had been
            enlarge(1000)
            force = ["--force"] if name in ("train", "score") else []
            assert audiogmm(*command, *force).status in (0, 3)
            assert files(disk).keys() - {"mine"} == files(whole).keys()
            if name not in ("features", "enroll"):
                for path, content in files(whole).items():
                    assert content.replace(bytes(whole), b"") == files(disk)[path].replace(bytes(disk), b"")
    assert refusals


@pytest.mark.parametrize("name", ["train", "detect", "verify"])
def test_what_was_there_stays(audiogmm: Audiogmm, inputs: Path, tmp_path: Path, name: str) -> None:
    disk = tmp_path / "disk"
    words = COMMANDS[name].replace("IN/", f"{inputs}/").replace("OUT", str(disk)).split()
    with small_disk(disk, 2):
        Path(words[-1]).write_text("earlier")
        assert audiogmm(*words, "--force").status == 1
        assert Path(words[-1]).read_text() == "earlier"
