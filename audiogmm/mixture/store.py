"""A model and its file: parameters, their statistics, and how frames are made for them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from audiogmm.errors import AudioGMMError, KindError, ModelFileError
from audiogmm.escapes import ESCAPED
from audiogmm.files import replacing
from audiogmm.methods import call_above
from audiogmm.mixture import container
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.metadata import FORMAT_VERSION, ModelMetadata, canonical_json
from audiogmm.mixture.statistics import ARRAYS, SCALARS, SufficientStats
from audiogmm.reading import parsing
from audiogmm.types import CovarianceType, FloatArray, Json
from audiogmm.words import article

_PARAMETERS = ("weights", "means", "covariances")


_STATISTICS = "statistics."


_RESERVED = "fingerprint"

_AS_SAVED, _AGAIN = "a model as audiogmm saved it", "copy it again, or train it again"


@dataclass(frozen=True, eq=False)
class Model:
    """A mixture with all that is needed to use it, to go on training it, and to know its origin.

    Parameters
    ----------
    mixture : Mixture
        The parameters.
    statistics : SufficientStats, optional
        What the mixture was estimated from, for `update`.
    metadata : ModelMetadata, optional
        Front end, sample rate, seed, and how the model was trained. A dictionary is read as
        `ModelMetadata.of` does.
    tensors : dict of str to ndarray, optional
        Further arrays that belong to the model, such as the scores of normal audio.

    Raises
    ------
    ModelFileError
        If the metadata cannot be written as JSON, or a tensor has a name of the model's own.

    Examples
    --------
    >>> import tempfile
    >>> mixture = Mixture([0.5, 0.5], [[0.0], [1.0]], [[1.0], [2.0]], "diag")
    >>> path = Path(tempfile.mkdtemp()) / "two.agmm"
    >>> Model(mixture, metadata=ModelMetadata(seed=0)).save(path)
    >>> model = load(path)
    >>> model.mixture == mixture, model.metadata.seed, model.weights
    (True, 0, array([0.5, 0.5]))
    """

    mixture: Mixture
    statistics: SufficientStats | None = None
    metadata: ModelMetadata = field(default_factory=ModelMetadata)
    tensors: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        metadata, kind = ModelMetadata.of(self.metadata), self.mixture.covariance_type
        if (metadata.format_version, metadata.covariance_type) != (FORMAT_VERSION, kind):
            metadata = replace(metadata, format_version=FORMAT_VERSION, covariance_type=kind)
        object.__setattr__(self, "metadata", metadata)
        object.__setattr__(self, "tensors", {name: _frozen(name, a) for name, a in self.tensors.items()})

    @property
    def weights(self) -> FloatArray:
        """Weights of the components, shape (n_components,)."""
        return self.mixture.weights

    @property
    def means(self) -> FloatArray:
        """Means, shape (n_components, n_features)."""
        return self.mixture.means

    @property
    def covariances(self) -> FloatArray:
        """Covariances; their shape depends on the form, see `Mixture`."""
        return self.mixture.covariances

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the front end, the sample rate and the parameters, hexadecimal: what decides scores."""
        frames = canonical_json(
            {"frontend": self.metadata.frontend, "sample_rate": self.metadata.sample_rate}
        )
        return hashlib.sha256(f"{frames}\n{self.mixture.fingerprint}".encode(errors=ESCAPED)).hexdigest()

    def summary(self) -> Json:
        """Describe the model, as JSON.

        Examples
        --------
        >>> summary = Model(Mixture([0.5, 0.5], np.zeros((2, 3)), [1.0, 1.0], "spherical")).summary()
        >>> summary["n_components"], summary["n_features"], summary["effective_components"]
        (2, 3, 2.0)
        """
        weights = self.weights[self.weights > 0]
        return {
            "covariance_type": self.mixture.covariance_type,
            "n_components": self.mixture.n_components,
            "n_features": self.mixture.n_features,
            "n_parameters": self.mixture.n_parameters,
            "effective_components": round(float(np.exp(-(weights * np.log(weights)).sum())), 2),
            "smallest_weight": float(self.weights.min()),
            "largest_weight": float(self.weights.max()),
            "fingerprint": self.fingerprint,
            "n_frames": None if self.statistics is None else self.statistics.n_frames,
            "tensors": {name: list(array.shape) for name, array in self.tensors.items()},
            **{name: value for name, value in self.metadata.to_dict().items() if name != "covariance_type"},
        }

    def with_part(
        self, name: str, prefix: str, document: Json | None, tensors: Mapping[str, np.ndarray] | None = None
    ) -> Model:
        """Return the model with another part, such as its detector.

        Parameters
        ----------
        name : str
            The part's name in the metadata.
        prefix : str
            With which the names of its tensors begin.
        document : dict or None
            The part's metadata; None for a model without it.
        tensors : dict of str to ndarray, optional
            The part's arrays.
        """
        kept = {name: tensor for name, tensor in self.tensors.items() if not name.startswith(prefix)}
        metadata = ModelMetadata.of(self.metadata.to_dict() | {name: document})
        return replace(self, metadata=metadata, tensors=kept | dict(tensors or {}))

    def save(self, path: str | os.PathLike[str], force: bool = False) -> None:
        """Write the model to a file, whole or not at all.

        Parameters
        ----------
        path : path-like
            Of the file; ``.agmm`` by convention.
        force : bool
            Replace what is there.

        Raises
        ------
        OutputError
            If the file exists and not `force`, or cannot be written.
        """
        arrays = {name: getattr(self.mixture, name) for name in _PARAMETERS}
        if self.statistics is not None:
            arrays |= {_STATISTICS + name: getattr(self.statistics, name) for name in ARRAYS}
            arrays[_STATISTICS + "scalars"] = np.array([getattr(self.statistics, name) for name in SCALARS])
        document = self.metadata.to_dict() | {_RESERVED: self.mixture.fingerprint}
        content = container.pack(arrays | dict(self.tensors), document)
        with replacing(path, force=force) as temporary:
            temporary.write_bytes(content)

    def to_estimator(self) -> Any:
        """Return a fitted `GaussianMixture`, scikit-learn's class, with the same likelihoods.

        Its front end is left behind; `GaussianMixture.to_model` is the way back.

        Examples
        --------
        >>> model = Model(Mixture([0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], "spherical"))
        >>> model.to_estimator().score_samples([[0.0]]).round(4)
        array([-1.6118])
        """
        return call_above("to_estimator", self)

    def _repr_html_(self) -> str:
        return str(call_above("to_html", self))

    def __repr__(self) -> str:
        return f"Model({self.mixture!r}, fingerprint {self.fingerprint[:12]})"


AnyModel: TypeAlias = Model | str | os.PathLike[str]
"""A model, or the path of its file."""


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model file.

    Parameters
    ----------
    path : path-like
        A file that `Model.save` wrote.

    Returns
    -------
    Model
        Checked: its parameters are those that were saved.

    Raises
    ------
    ModelFileError
        If there is no such file, or it is truncated, damaged, from a newer version, a pickle, or not a
        model; the message says which.
    KindError
        If it is no path.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise KindError(
            f"got {article(type(path).__name__)} for a model",
            needed="a Model, or the path of a model file",
            remedy="its to_model()" if hasattr(path, "to_model") else "audiogmm.load('model.agmm')",
        )
    path = Path(path)
    document, arrays = container.read(path, hashed=frozenset(_PARAMETERS))
    metadata = _parsed(path, document)
    if missing := [name for name in _PARAMETERS if name not in arrays]:
        raise _damaged(path, f"lacks the tensor {missing[0]!r}")
    try:
        weights, means, covariances = (arrays.pop(name) for name in _PARAMETERS)
        mixture = Mixture(weights, means, covariances, metadata["covariance_type"])
        statistics = _statistics(path, arrays, metadata["covariance_type"])
    except ModelFileError:
        raise
    except AudioGMMError as error:
        raise ModelFileError(
            f"{path} holds no valid mixture: {error.what}", needed=error.needed, remedy="train it again"
        ) from error
    if metadata.pop(_RESERVED, None) != mixture.fingerprint:
        raise _damaged(path, "holds other parameters than were saved")
    try:
        return Model(mixture, statistics, ModelMetadata.of(metadata), arrays)
    except ModelFileError as error:
        raise _damaged(path, f"holds {error.what}") from error


def model_from(model: AnyModel) -> Model:
    """Return the model itself, or that of a file: what every verb does with its argument.

    Raises
    ------
    ModelFileError, KindError
        As `load`.

    Examples
    --------
    >>> model_from(3)
    Traceback (most recent call last):
    ...
    audiogmm.errors.KindError: got an int for a model; needed: a Model, or the path of a model file; try: ...
    """
    return model if isinstance(model, Model) else load(model)


def _parsed(path: Path, metadata: Json) -> Json:
    """The metadata of a file, if this version can read it."""
    with parsing(path, needed=_AS_SAVED, remedy=_AGAIN, what="has metadata that cannot be read"):
        format_version = int(metadata["format_version"])
        metadata["covariance_type"] = str(metadata["covariance_type"])
    if format_version > FORMAT_VERSION:
        raise ModelFileError(
            f"{path} has format version {format_version} (versions: {metadata.get('versions')})",
            needed=f"format version {FORMAT_VERSION} at most",
            remedy="a newer audiogmm: pip install --upgrade audiogmm",
        )
    return metadata


def _statistics(
    path: Path, arrays: dict[str, np.ndarray], covariance_type: CovarianceType
) -> SufficientStats | None:
    """Take the statistics out of the arrays of a file, if it has them."""
    found = {name: arrays.pop(name) for name in list(arrays) if name.startswith(_STATISTICS)}
    if not found:
        return None
    names = [_STATISTICS + name for name in (*ARRAYS, "scalars")]
    if missing := [name for name in names if name not in found]:
        raise _damaged(path, f"lacks the tensor {missing[0]!r}")
    for name in names:
        if not np.isfinite(found[name]).all():
            raise _damaged(path, f"holds a number in {name!r} that is not finite")
    scalars = found[_STATISTICS + "scalars"]
    if scalars.shape != (len(SCALARS),):
        raise _damaged(path, f"has {scalars.size} sums in its statistics")
    origin, counts, first, second = (found[_STATISTICS + name] for name in ARRAYS)
    return SufficientStats(covariance_type, origin, counts, first, second, *scalars.tolist())


def _damaged(path: Path, what: str) -> ModelFileError:
    return ModelFileError(f"{path} {what}", needed=_AS_SAVED, remedy=_AGAIN)


def _frozen(name: str, array: np.ndarray) -> np.ndarray:
    """A read-only, C-contiguous copy of a tensor, if its name is free."""
    if name in _PARAMETERS or name.startswith((_STATISTICS, "__")):
        raise ModelFileError(
            f"a tensor named {name!r}",
            needed=f"another name than {', '.join(_PARAMETERS)}, {_STATISTICS}* and __*",
        )
    if (dtype := np.asarray(array).dtype) not in container.DTYPES:
        raise ModelFileError(
            f"tensor {name!r} of dtype {dtype}", needed="one of " + ", ".join(map(str, container.DTYPES))
        )
    copy = np.array(array, order="C")
    copy.flags.writeable = False
    return copy


def floor_of(model: Model) -> FloatArray:
    """Return the variance floor of a model's training, shape (n_features,); zeros where it is not known."""
    return np.array(model.metadata.training.get("floor", np.zeros(model.mixture.n_features)))
