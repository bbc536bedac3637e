"""What a model has learnt of its scores: kept in its metadata and tensors, and made a scorer again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from audiogmm.anomaly.scorers.fused import FusedScorer
from audiogmm.anomaly.scorers.part import Arrays, ScoreContext, SeriesGroup
from audiogmm.anomaly.scorers.scale import NormalScale
from audiogmm.anomaly.scorers.table import ScoreSpec
from audiogmm.errors import AudioGMMError, ModelFileError
from audiogmm.mixture.gaussian import Mixture
from audiogmm.types import Json

PREFIX = "scorer/"
"""Of the names of tensors."""


@dataclass(frozen=True, eq=False)
class LearnedScores:
    """Which scores a detector uses, and what normal audio taught about them.

    Attributes
    ----------
    wanted : tuple of ScoreSpec
        The scores.
    frame_rate : float
        Frames a second.
    learnt : dict of str to Arrays
        For scores that learn, by their text (``twfr:0.5``).
    part_scales, group_scales : tuple of NormalScale
        See `FusedScorer`.
    against : Mixture or None
        The background model of `ratio`, where it is one of the user's own.
    how_chosen : dict
        JSON: what `choose` found, where the scores were chosen and not named.
    """

    wanted: tuple[ScoreSpec, ...]
    frame_rate: float
    learnt: Mapping[str, Arrays] = field(default_factory=dict)
    part_scales: tuple[NormalScale, ...] = ()
    group_scales: tuple[NormalScale, ...] = ()
    against: Mixture | None = None
    how_chosen: Json = field(default_factory=dict)

    def groups(self, ground: ScoreContext) -> tuple[SeriesGroup, ...]:
        """The series of the scores, on what a model gives them.

        Raises
        ------
        MismatchError
            If the model's features do not allow one of them.
        """
        return tuple(
            wanted.score.group(ground, wanted.window, self.learnt.get(str(wanted), {}))
            for wanted in self.wanted
        )

    def scorer(self, ground: ScoreContext) -> FusedScorer:
        """What scores frames."""
        return FusedScorer(self.groups(ground), self.part_scales, self.group_scales)

    def metadata(self) -> Json:
        """What `from_parts` needs besides the tensors, as JSON."""
        return {
            "names": [str(wanted) for wanted in self.wanted],
            "frame_rate": self.frame_rate,
            "part_scales": len(self.part_scales),
            "group_scales": len(self.group_scales),
            **({"against": self.against.covariance_type} if self.against else {}),
            **({"how_chosen": self.how_chosen} if self.how_chosen else {}),
        }

    def tensors(self) -> dict[str, np.ndarray]:
        """Arrays under names that begin with ``scorer/``."""
        tensors = {
            f"{PREFIX}{name}/{key}": array
            for name, arrays in self.learnt.items()
            for key, array in arrays.items()
        }
        for kind in ("part", "group"):
            for place, scale in enumerate(getattr(self, f"{kind}_scales")):
                values = np.append(scale.quantiles, scale.excess)
                tensors[f"{PREFIX}{kind}_scale/{place}"] = values
        if self.against is not None:
            tensors |= {f"{PREFIX}against/{key}": getattr(self.against, key) for key in _MIXTURE}
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
            wanted = tuple(ScoreSpec.parse(name) for name in metadata["names"])
            scales = {
                kind: tuple(
                    NormalScale(values[:-1].copy(), float(values[-1]))
                    for place in range(int(metadata[f"{kind}_scales"]))
                    for values in [tensors[f"{PREFIX}{kind}_scale/{place}"]]
                )
                for kind in ("part", "group")
            }
            frame_rate = float(metadata["frame_rate"])
            against = None
            if form := metadata.get("against"):
                weights, means, covariances = (tensors[f"{PREFIX}against/{key}"] for key in _MIXTURE)
                against = Mixture(weights, means, covariances, form)
        except (KeyError, AudioGMMError) as error:
            what = error.what if isinstance(error, AudioGMMError) else f"lacks {error}"
            raise ModelFileError(
                f"the model's scores: {what}", needed="whole ones", remedy="audiogmm calibrate --scores NAME"
            ) from error
        learnt: dict[str, dict[str, np.ndarray]] = {}
        for each in map(str, wanted):
            start = f"{PREFIX}{each}/"
            arrays = {name[len(start) :]: array for name, array in tensors.items() if name.startswith(start)}
            if arrays:
                learnt[each] = arrays
        missing = [str(each) for each in wanted if each.score.learns and str(each) not in learnt]
        if missing:
            raise ModelFileError(
                f"the model lacks what its score {missing[0]!r} learnt",
                needed="whole scores",
                remedy="audiogmm calibrate --scores NAME",
            )
        chosen = metadata.get("how_chosen", {})
        return cls(wanted, frame_rate, learnt, scales["part"], scales["group"], against, chosen)


_MIXTURE = ("weights", "means", "covariances")
"""Parameters of a mixture."""
