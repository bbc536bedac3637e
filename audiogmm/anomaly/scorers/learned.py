"""What a model has learned about its scores: kept in its metadata and tensors, and made a scorer again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from audiogmm.anomaly.scorers.fused import FusedScorer
from audiogmm.anomaly.scorers.scale import NormalScale
from audiogmm.anomaly.scorers.score import Arrays, ScoreContext
from audiogmm.anomaly.scorers.series import SeriesGroup
from audiogmm.anomaly.scorers.table import ScoreSpec
from audiogmm.errors import AudioGMMError, ModelFileError
from audiogmm.mixture.gaussian import Mixture
from audiogmm.types import Json

PREFIX = "scorer/"
"""Of the names of tensors."""


@dataclass(frozen=True, eq=False)
class LearnedScores:
    """Which scores a detector uses, and what was learned about them from normal audio.

    Attributes
    ----------
    specs : tuple of ScoreSpec
        The scores.
    frame_rate : float
        Frames a second.
    learned : dict of str to Arrays
        For scores that learn, by their text (``twfr:0.5``).
    part_scales, group_scales : tuple of NormalScale
        See `FusedScorer`.
    background : Mixture or None
        The background model of `ratio`, where it is one of the user's own.
    how_chosen : dict
        JSON: what was compared and left out, where the scores were chosen and not named.
    """

    specs: tuple[ScoreSpec, ...]
    frame_rate: float
    learned: Mapping[str, Arrays] = field(default_factory=dict)
    part_scales: tuple[NormalScale, ...] = ()
    group_scales: tuple[NormalScale, ...] = ()
    background: Mixture | None = None
    how_chosen: Json = field(default_factory=dict)

    def groups(self, context: ScoreContext) -> tuple[SeriesGroup, ...]:
        """Make the series of the scores.

        Raises
        ------
        MismatchError
            If the model's features do not allow one of them.
        """
        return tuple(
            spec.score.make_series(context, spec.window, self.learned.get(str(spec), {}))
            for spec in self.specs
        )

    def scorer(self, context: ScoreContext) -> FusedScorer:
        """Make the scorer of frames."""
        return FusedScorer(self.groups(context), self.part_scales, self.group_scales)

    def metadata(self) -> Json:
        """Return what `from_parts` needs in addition to the tensors, as JSON."""
        return {
            "names": [str(spec) for spec in self.specs],
            "frame_rate": self.frame_rate,
            "part_scales": len(self.part_scales),
            "group_scales": len(self.group_scales),
            **({"against": self.background.covariance_type} if self.background else {}),
            **({"how_chosen": self.how_chosen} if self.how_chosen else {}),
        }

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the arrays, under names that begin with ``scorer/``."""
        tensors = {
            f"{PREFIX}{name}/{key}": array
            for name, arrays in self.learned.items()
            for key, array in arrays.items()
        }
        for kind in ("part", "group"):
            for place, scale in enumerate(getattr(self, f"{kind}_scales")):
                values = np.append(scale.quantiles, scale.excess)
                tensors[f"{PREFIX}{kind}_scale/{place}"] = values
        if self.background is not None:
            tensors |= {f"{PREFIX}against/{key}": getattr(self.background, key) for key in _MIXTURE}
        return tensors

    @classmethod
    def from_parts(cls, metadata: Json, tensors: Mapping[str, np.ndarray]) -> LearnedScores:
        """Undo `metadata` and `tensors`.

        Raises
        ------
        ModelFileError
            If something is missing.
        """
        try:
            specs = tuple(ScoreSpec.parse(name) for name in metadata["names"])
            scales = {
                kind: tuple(
                    NormalScale(values[:-1].copy(), float(values[-1]))
                    for place in range(int(metadata[f"{kind}_scales"]))
                    for values in [tensors[f"{PREFIX}{kind}_scale/{place}"]]
                )
                for kind in ("part", "group")
            }
            frame_rate = float(metadata["frame_rate"])
            background = None
            if form := metadata.get("against"):
                weights, means, covariances = (tensors[f"{PREFIX}against/{key}"] for key in _MIXTURE)
                background = Mixture(weights, means, covariances, form)
        except (KeyError, AudioGMMError) as error:
            what = error.what if isinstance(error, AudioGMMError) else f"lacks {error}"
            raise ModelFileError(
                f"the model's scores: {what}",
                needed="complete ones",
                remedy="audiogmm calibrate --scores NAME",
            ) from error
        learned: dict[str, dict[str, np.ndarray]] = {}
        for each in map(str, specs):
            start = f"{PREFIX}{each}/"
            arrays = {name[len(start) :]: array for name, array in tensors.items() if name.startswith(start)}
            if arrays:
                learned[each] = arrays
        missing = [str(each) for each in specs if each.score.learn and str(each) not in learned]
        if missing:
            raise ModelFileError(
                f"the model lacks what its score {missing[0]!r} learned",
                needed="complete scores",
                remedy="audiogmm calibrate --scores NAME",
            )
        chosen = metadata.get("how_chosen", {})
        return cls(specs, frame_rate, learned, scales["part"], scales["group"], background, chosen)


_MIXTURE = ("weights", "means", "covariances")
"""Parameters of a mixture."""
