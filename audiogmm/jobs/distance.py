"""How far a model that was updated is from one trained anew."""

from __future__ import annotations

from audiogmm.errors import ManifestError
from audiogmm.mixture.movement import movement
from audiogmm.mixture.store import Model, floor_of
from audiogmm.reduce import LocalReducer
from audiogmm.runs.aside import Aside
from audiogmm.runs.inputs import Inputs, open_inputs
from audiogmm.runs.progress import Progress, Silent
from audiogmm.training import train_mixture
from audiogmm.types import Json


def open_comparison(
    model: Model, source: str, *, aside: Aside, progress: Progress | None = None, upsample: bool = False
) -> Inputs:
    """Open the recordings that a model is to be compared on, and read their manifest through.

    Parameters
    ----------
    model : Model
        Whose front end hears them.
    source : str
        A manifest, or what stands in its place.
    aside : Aside
        Takes bad lines, and later bad recordings.
    progress : Progress, optional
        Who listens.
    upsample : bool
        Accept audio below the sample rate.

    Raises
    ------
    ManifestError
        If it cannot be read, or names nothing.
    """
    say = (progress or Silent()).say
    inputs = open_inputs(source, model=model, aside=aside, say=say, upsample=upsample, again=True)
    if not inputs.extent().total and not any(True for _ in inputs.entries):
        raise ManifestError(f"{source} names no recording", needed="recordings to compare with")
    return inputs


def compare(model: Model, inputs: Inputs, *, threads: int | None = None, workers: int = 0) -> Json:
    """How far a model is from one trained on recordings until it stands still, from there.

    That one has the model's form and its variance floor; recordings that cannot be used are set aside.

    Parameters
    ----------
    model : Model
        The updated one.
    inputs : Inputs
        All the recordings, as `open_comparison` gives them.
    threads, workers : int
        As for `train`.

    Returns
    -------
    dict
        ``movement`` in standard deviations (see `training.convergence.movement`), ``log_likelihood`` a
        frame of the model and ``trained_anew`` of the other, nats.

    Raises
    ------
    TrainingError
        If none of the recordings can be used.
    """
    with LocalReducer(threads, workers) as reducer:
        result = train_mixture(
            inputs,
            n_components=model.mixture.n_components,
            covariance_type=model.mixture.covariance_type,
            init=model.mixture,
            floor=floor_of(model),
            tol=1e-5,
            passes=100,
            reducer=reducer,
            on_error=inputs.refuse,
        )
    return {
        "movement": movement(model.mixture, result.mixture),
        "log_likelihood": result.history[0].log_likelihood,
        "trained_anew": result.history[-1].log_likelihood,
    }
