"""Recordings with known truth: scenes, speakers, and a corpus of them in files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.files import replacing
from audiogmm.synth.foreign import add_foreign_sounds
from audiogmm.synth.noise import LEVEL, SAMPLE_RATE, colored_noise
from audiogmm.synth.sites import SITES, make_background
from audiogmm.synth.voice import make_speech
from audiogmm.timeline import Segment
from audiogmm.types import Json, Samples, Seconds


@dataclass(frozen=True, slots=True, eq=False)
class SynthRecording:
    """A synthetic recording and the truth about it.

    Attributes
    ----------
    name : str
        Unique within a corpus.
    samples : ndarray of shape (n_samples,), float32
        Mono audio, full scale is 1.0.
    sample_rate : int
        Hertz.
    split : {"train", "test"}
        Only test recordings hold foreign sounds.
    site : str
        One of `SITES`; empty for a speaker.
    speaker : str
        Who speaks; empty for a scene.
    events : tuple of Segment
        Where foreign sounds are, seconds.
    sounds : tuple of str
        What each of them is.
    """

    name: str
    samples: Samples
    sample_rate: int
    split: str
    site: str = ""
    speaker: str = ""
    events: tuple[Segment, ...] = ()
    sounds: tuple[str, ...] = ()


def make_scenes(
    seed: int = 0, *, train: int = 10, test: int = 8, duration: Seconds = 15.0
) -> Iterator[SynthRecording]:
    """Synthesize recordings of every site: normal ones to train on, and some with foreign sounds.

    Every second test recording has one or two foreign sounds, each of a kind drawn from `FOREIGN`. They are
    faded in and out, and the mixture is brought back to the level that the background had there, so that
    they cannot be found by loudness.

    Parameters
    ----------
    seed : int
        The same seed gives the same samples.
    train, test : int
        Recordings a site.
    duration : Seconds
        Of each, at least 5 s.

    Yields
    ------
    SynthRecording
        Site by site, first `train`, then `test`.

    Raises
    ------
    ChoiceError
        If the recordings are too short.

    Examples
    --------
    >>> recordings = list(make_scenes(seed=0, train=1, test=2, duration=5.0))
    >>> [(r.name, len(r.events) > 0) for r in recordings[:3]]
    [('fan_train_00', False), ('fan_test_00', False), ('fan_test_01', True)]
    """
    if not duration >= 5:
        raise ChoiceError(f"scenes of {duration} s", needed="at least 5 s, room for a foreign sound")
    n_samples = round(duration * SAMPLE_RATE)
    for s, site in enumerate(SITES):
        for split, count in (("train", train), ("test", test)):
            for i in range(count):
                rng = np.random.default_rng([seed, s, int(split == "test"), i])
                samples = make_background(site, n_samples, rng)
                events: list[Segment] = []
                sounds: list[str] = []
                if split == "test" and i % 2:
                    samples, events, sounds = add_foreign_sounds(samples, rng)
                yield SynthRecording(
                    f"{site}_{split}_{i:02d}",
                    samples.astype(np.float32),
                    SAMPLE_RATE,
                    split,
                    site=site,
                    events=tuple(events),
                    sounds=tuple(sounds),
                )


def make_speakers(
    seed: int = 0, *, count: int = 4, train: int = 2, test: int = 3, duration: Seconds = 6.0
) -> Iterator[SynthRecording]:
    """Synthesize vowels and hisses of speakers who differ in pitch, vocal tract length and voice.

    Parameters
    ----------
    seed : int
        The same seed gives the same samples.
    count : int
        Speakers.
    train, test : int
        Recordings of each.
    duration : Seconds
        Of a recording.

    Yields
    ------
    SynthRecording
        Speaker by speaker.

    Examples
    --------
    >>> [r.name for r in make_speakers(count=2, train=1, test=1, duration=1.0)]
    ['speaker_0_train_0', 'speaker_0_test_0', 'speaker_1_train_0', 'speaker_1_test_0']
    """
    for k in range(count):
        traits = np.random.default_rng([seed, 100, k])
        pitch = 95.0 * 2 ** (1.3 * (k + traits.uniform(0.2, 0.8)) / count)
        tract = traits.uniform(0.85, 1.18)
        breath = traits.uniform(0.01, 0.08)
        for split, n in (("train", train), ("test", test)):
            for i in range(n):
                rng = np.random.default_rng([seed, 101, k, int(split == "test"), i])
                voice = make_speech(round(duration * SAMPLE_RATE), rng, pitch, tract, breath)
                room = colored_noise(len(voice), rng, slope=-3.0)
                samples = (LEVEL * (voice + 0.01 * room)).astype(np.float32)
                name = f"speaker_{k}_{split}_{i}"
                yield SynthRecording(name, samples, SAMPLE_RATE, split, speaker=f"speaker_{k}")


def write_corpus(
    folder: str | os.PathLike[str],
    recordings: Iterator[SynthRecording] | None = None,
    *,
    seed: int = 0,
    force: bool = False,
) -> dict[str, int]:
    """Write recordings as 16-bit wav files, and `train.jsonl` and `test.jsonl` beside them.

    Parameters
    ----------
    folder : path-like
        Appears when it is whole.
    recordings : iterator of SynthRecording, optional
        `make_scenes(seed)` by default.
    seed : int
        For the default recordings.
    force : bool
        Write into a folder that holds something.

    Returns
    -------
    dict
        Recordings written, by split.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    import soundfile

    lines: dict[str, list[str]] = {"train": [], "test": []}
    with replacing(folder, force=force) as target:
        for recording in recordings if recordings is not None else make_scenes(seed):
            file = target / recording.split / f"{recording.name}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(file, recording.samples, recording.sample_rate, subtype="PCM_16")
            lines[recording.split].append(json.dumps(_entry(recording)))
        for split, rows in lines.items():
            (target / f"{split}.jsonl").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return {split: len(rows) for split, rows in lines.items()}


def _entry(recording: SynthRecording) -> Json:
    """A manifest entry, its path relative to the manifest."""
    row: Json = {
        "audio_filepath": f"{recording.split}/{recording.name}.wav",
        "id": recording.name,
        "duration": len(recording.samples) / recording.sample_rate,
    }
    row |= {key: value for key in ("site", "speaker") if (value := getattr(recording, key))}
    if not recording.speaker:
        pairs = zip(recording.events, recording.sounds, strict=True)
        row["events"] = [{"start": e.start, "end": e.end, "sound": sound} for e, sound in pairs]
    return row
