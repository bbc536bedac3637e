"""Evaluate verification: how well do scores separate speakers, and are they calibrated?"""

from __future__ import annotations

import os
from pathlib import Path

from audiogmm.evaluation.settings import OF_FILES
from audiogmm.evaluation.verification.evaluation import VerificationEvaluation
from audiogmm.evaluation.verification.score_evaluation import EvaluateVerifySettings, evaluate_scores
from audiogmm.evaluation.verification.wording import evaluation_lines
from audiogmm.jobs.evaluation_result import EvaluationResult, open_evaluation, write_evaluation
from audiogmm.keywords import accepts
from audiogmm.reporting.run.verification_picture import draw_verification_evaluation
from audiogmm.runs.aside import Aside
from audiogmm.runs.progress import Progress, progress_of


@accepts(EvaluateVerifySettings, without=OF_FILES)
def evaluate_verify(
    scores: str | os.PathLike[str],
    *,
    settings: EvaluateVerifySettings,
    aside: Aside | None = None,
    progress: Progress | bool | None = None,
) -> VerificationEvaluation:
    """Evaluate the scores of trials whose truth is known.

    Intervals come from draws of the speakers. The speaker of a test is that of its column `speaker`, where
    there is one; else the model of its target trial, or of another piece of its file. A recording without any
    of these counts as a speaker of its own.

    Parameters
    ----------
    scores : path-like
        CSV with the columns `model`, `audio_filepath` (or `id`), `target` and `column`, as `verify` writes.
    settings : EvaluateVerifySettings
        Or its fields as keywords. `by` names columns: text as it is, numbers are cut into four parts.
    aside : Aside, optional
        Takes rows that cannot be used; by default the first one raises.
    progress : Progress, optional
        Receives what is done so far.

    Raises
    ------
    ManifestError
        If a file cannot be read, lacks a column or contradicts itself; if trials are of one kind; the first
        bad row's, unless `aside` takes it.
    ChoiceError
        If a column of `by` is missing, or a setting is out of range.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "scores.csv"
    >>> _ = path.write_text(
    ...     "model,audio_filepath,target,score\\n"
    ...     "ann,a.wav,1,2.5\\nann,b.wav,0,-3.0\\nbob,b.wav,1,1.5\\nbob,a.wav,0,-1.0\\n"
    ... )
    >>> found = evaluate_verify(path)
    >>> found.overall.eer.value, found.overall.n_speakers, found.overall.indicative
    (0.0, 2, True)
    """
    aside = Aside(strict=True) if aside is None else aside
    return evaluate_scores(scores, settings, aside, progress_of(progress))


@accepts(EvaluateVerifySettings)
def evaluate_verify_to_file(
    scores: Path,
    output: Path | None = None,
    *,
    settings: EvaluateVerifySettings,
    progress: Progress | bool | None = None,
) -> EvaluationResult[VerificationEvaluation]:
    """Evaluate as `evaluate_verify` does; write the result and a picture.

    Parameters
    ----------
    scores : Path
    output : Path, optional
        The result, JSON; rows set aside are listed beside it.
    settings : EvaluateVerifySettings
        Or its fields as keywords.
    progress : Progress, optional
        Receives what is done so far.

    Raises
    ------
    OutputError
        If a file exists (and not `force`), or cannot be written.
    """
    aside = open_evaluation(output, settings, scores, settings.against)
    found = evaluate_scores(scores, settings, aside, progress_of(progress))
    return write_evaluation(found, evaluation_lines(found), output, settings, draw_verification_evaluation)
