"""The speaker part of the demo: synthesized voices are enrolled, verified and identified."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audiogmm.audio.frontend.frontend import FrontEnd
from audiogmm.escapes import guarded
from audiogmm.evaluation.tables import format_interval, format_percent
from audiogmm.evaluation.verification.evaluation import VerificationEvaluation
from audiogmm.evaluation.verification.wording import describe_trials
from audiogmm.files import replacing
from audiogmm.jobs.enroll import enroll_to_folder
from audiogmm.jobs.evaluate_verify import evaluate_verify_to_file
from audiogmm.jobs.identify import IdentifyResult, identify_to_file
from audiogmm.jobs.trained_files import train_to_file
from audiogmm.jobs.verify import verify_to_file
from audiogmm.manifest import read_manifest
from audiogmm.runs.progress import Progress
from audiogmm.synth import write_corpus
from audiogmm.synth.corpus import make_speakers
from audiogmm.temporaries import remove
from audiogmm.types import Json

N_BACKGROUND, N_PEOPLE = 24, 20
"""Number of speakers of the background model, and of those who are enrolled."""


@dataclass(frozen=True)
class SpeakerDemo:
    """The results of the speaker part."""

    evaluation: VerificationEvaluation  # of trials of every test recording against every speaker
    identified: IdentifyResult  # the speaker identified in each test recording
    picture: Path | None  # the DET curve

    def summary(self) -> Json:
        """Return what `--json` prints."""
        found = self.evaluation.overall.to_json()
        names = ("n_speakers", "n_trials", "eer", "cllr", "min_cllr", "indicative")
        accuracy = self.identified.counts.accuracy(closed=True)
        return {name: found[name] for name in names} | {"identified": accuracy}

    def lines(self) -> Iterator[str]:
        """Yield the closing lines."""
        whole, identified = self.evaluation.overall, self.identified.counts
        yield f"speakers: {describe_trials(whole)}, none of them in the background model"
        indicative = ", indicative" if whole.indicative else ""
        yield (
            f"equal error rate {format_percent(whole.eer.value)} (95 % interval over speakers: "
            f"{format_interval(whole.eer, format_percent)}{indicative}); Cllr {whole.cllr.value:.3f}, "
            f"min Cllr {whole.min_cllr.value:.3f} bits"
        )
        yield (
            f"identified {identified.right} of {identified.n_enrolled} test recordings "
            f"among {self.identified.n_speakers} speakers"
        )


def run_speaker_demo(
    folder: Path,
    *,
    seed: int = 0,
    force: bool = False,
    plot: bool = True,
    threads: int | None = None,
    progress: Progress,
) -> SpeakerDemo:
    """Synthesize voices, train a background model, enroll, verify every speaker in every test, and evaluate.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    progress.begin("synthesizing voices", None, "")
    background, people = folder / "background", folder / "people"
    others = make_speakers(2 * seed + 1, count=N_BACKGROUND, train=2, test=0, duration=5.0)
    write_corpus(background, others, force=force)
    write_corpus(people, make_speakers(2 * seed, count=N_PEOPLE, train=2, test=3, duration=5.0), force=force)
    progress.end()
    model, known, test = folder / "background.agmm", folder / "known", str(people / "test.jsonl")
    remove(known)  # speakers of an earlier demo
    shared = {"threads": threads, "progress": progress}
    speech = FrontEnd.preset("speech")
    train_to_file(str(background / "train.jsonl"), model, speech, seed=seed, force=force, **shared)
    enroll_to_folder(model, str(people / "train.jsonl"), known, **shared)
    trials = write_trials(people / "test.jsonl", folder / "trials.csv")
    scores = folder / "scores.csv"
    verify_to_file(known, str(trials), scores, force=force, **shared)
    picture = folder / "det.png" if plot else None
    result = folder / "result.json"
    evaluated = evaluate_verify_to_file(scores, result, plot=picture, force=force, progress=progress)
    identified = identify_to_file(known, test, folder / "who.jsonl", closed=True, force=force, **shared)
    return SpeakerDemo(evaluated.evaluation, identified, picture)


def write_trials(manifest: Path, path: Path) -> Path:
    """Write a trial of every recording of a manifest against every speaker in it."""
    entries = list(iter(read_manifest(manifest)))
    names = sorted({str(entry.speaker) for entry in entries})
    with replacing(path, force=True) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["model", "audio_filepath", "target"])
        for entry in entries:
            writer.writerows(
                (guarded(name), guarded(entry.path), int(name == entry.speaker)) for name in names
            )
    return path
