"""Every score of the table: right by its naive twin, the same bytes in any chunks, kept in a model file."""

from __future__ import annotations

import pickle
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiogmm.anomaly.learning.assembly import make_score_context, make_scorer
from audiogmm.anomaly.learning.frontend_bands import mel_bands
from audiogmm.anomaly.learning.model_parts import read_learned_scores, with_scores
from audiogmm.anomaly.scorers.fused import FusedScorer
from audiogmm.anomaly.scorers.learned import LearnedScores
from audiogmm.anomaly.scorers.scales import LENGTHS
from audiogmm.anomaly.scorers.table import SCORES, parse_scores
from audiogmm.anomaly.scorers.track import score_recording
from audiogmm.errors import ChoiceError, FeatureError, MismatchError, ModelFileError
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.store import Model, load
from tests.anomaly.scored import CLOCK, FRONT_END, Frames, context, learned, learned_from, mixture, recordings
from tests.naive import detector_scores as naive

NAMES = [*SCORES, "mean:0.6", "twfr:0.5", "fusion", "cusum,posterior,scales"]


@cache
def learned_once(names: str) -> LearnedScores:
    return learned(names)


@cache
def scorer(names: str) -> FusedScorer:
    return learned_once(names).scorer(context())


@cache
def odd() -> Frames:
    """A recording the middle of which is another mixture's, and a stretch of which is not voiced."""
    frames = mixture().sample(331, seed=50)[0].astype(np.float32)
    frames[120:170] = mixture(seed=9).sample(50, seed=51)[0]
    voiced = np.random.default_rng(1).random(331) > 0.1
    voiced[200:280] = False
    return Frames("odd", frames, voiced)


@pytest.mark.parametrize("names", NAMES)
def test_every_frame_gets_one_finite_score_within_the_latency(names: str) -> None:
    whole = odd()
    track = score_recording(scorer(names), whole)
    assert track.scores.shape == (331,) and track.scores.dtype == np.float64
    assert np.isfinite(track.scores).all()
    np.testing.assert_array_equal(track.voiced, whole.voiced)
    stream, given_out = scorer(names).open("odd"), 0
    for block in Frames("odd", whole.frames, whole.voiced, tuple(range(1, 331))):
        given_out += len(stream.push(block))
        assert given_out >= block.start + 1 - scorer(names).latency
    assert given_out + len(stream.flush()) == 331


@pytest.mark.parametrize("names", NAMES)
@settings(max_examples=8)
@given(cuts=st.lists(st.integers(1, 330), max_size=12))
def test_any_chunking_gives_the_same_bytes(names: str, cuts: list[int]) -> None:
    whole = odd()
    cut = Frames(whole.id, whole.frames, whole.voiced, tuple(cuts))
    assert (
        score_recording(scorer(names), cut).scores.tobytes()
        == score_recording(scorer(names), whole).scores.tobytes()
    )


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("n_frames", [1, 2, 7])
def test_short_recordings_and_single_frames(names: str, n_frames: int) -> None:
    whole = odd()
    short = Frames("short", whole.frames[:n_frames], np.ones(n_frames, dtype=bool))
    single = Frames("short", short.frames, short.voiced, tuple(range(1, n_frames)))
    track = score_recording(scorer(names), short)
    assert len(track) == n_frames
    assert track.scores.tobytes() == score_recording(scorer(names), single).scores.tobytes()


@pytest.mark.parametrize("names", NAMES)
def test_scorers_are_pickled_and_kept_in_a_model_file(names: str, tmp_path: Path) -> None:
    wanted = score_recording(scorer(names), odd()).scores.tobytes()
    assert score_recording(pickle.loads(pickle.dumps(scorer(names))), odd()).scores.tobytes() == wanted
    metadata = {"frontend": FRONT_END.to_dict(), "sample_rate": 8000}
    with_scores(Model(mixture(), metadata=metadata), learned_once(names)).save(tmp_path / "m.agmm")
    model = load(tmp_path / "m.agmm")
    assert score_recording(make_scorer(model, every_frame=False), odd()).scores.tobytes() == wanted
    assert read_learned_scores(with_scores(model, None)) is None
    assert not [name for name in with_scores(model, None).tensors if name.startswith("scorer/")]


@pytest.mark.parametrize("names", NAMES)
def test_a_frame_that_is_not_finite_is_an_error_with_its_place(names: str) -> None:
    frames = odd().frames.copy()
    frames[77, 3] = np.nan
    with pytest.raises(FeatureError, match=r"odd: frame 77 at 0\.78\d s holds nan"):
        score_recording(scorer(names), Frames("odd", frames, odd().voiced))


@pytest.mark.parametrize("names", NAMES)
def test_other_sounds_score_lower(names: str) -> None:
    scores = score_recording(scorer(names), odd()).scores
    if names == "cusum":
        assert scores[110] > scores[175]  # a sum needs its time
    else:
        assert scores[130:160].mean() < scores[:100].mean()


def calm(names: str) -> list[Frames]:
    return recordings(8)[4:]


def sampled(column: list[np.ndarray]) -> np.ndarray:
    """What scales are fitted to: every fifth frame, if voiced."""
    parts = [
        values[[t for t in range(0, len(values), 5) if shard.voiced[t]]]
        for values, shard in zip(column, calm(""), strict=True)
    ]
    return np.concatenate(parts)


def scaled(series) -> np.ndarray:
    """A series of the odd recording as deviates of those of the normal ones."""
    return naive.deviates(sampled([series(shard) for shard in calm("")]), series(odd()))


def plain(model: Mixture, shard: Frames) -> np.ndarray:
    return naive.density(model, shard.frames)


def test_mean_ratio_and_quantile_are_as_the_formulas_say() -> None:
    model, shard = mixture(), odd()
    likelihoods = plain(model, shard)
    for names, half in (("mean", 12), ("mean:0.6", 30)):
        found = score_recording(scorer(names), shard).scores
        np.testing.assert_allclose(found, naive.box(likelihoods, shard.voiced, half), rtol=1e-6)
    ratios = likelihoods - naive.single_gaussian_density(model, shard.frames)
    np.testing.assert_allclose(
        score_recording(scorer("ratio"), shard).scores,
        naive.box(ratios, shard.voiced, 12),
        rtol=1e-6,
        atol=1e-5,
    )
    np.testing.assert_allclose(
        score_recording(scorer("quantile"), shard).scores,
        naive.low_quantile(likelihoods, shard.voiced, 12, 0.25),
        rtol=1e-6,
    )


def test_scales_are_the_lowest_deviate_of_several_windows() -> None:
    model = mixture()
    columns = []
    for length in LENGTHS:
        half = round(0.5 * length * 100 / 2)
        columns.append(scaled(lambda s, half=half: naive.box(plain(model, s), s.voiced, half)))
    found = score_recording(scorer("scales"), odd()).scores
    np.testing.assert_allclose(found, np.min(columns, axis=0), atol=1e-5)


@pytest.mark.parametrize("form", ["spherical", "diag", "tied", "full"])
def test_bands_are_marginals_of_the_model(form: str) -> None:
    model = mixture(form)
    columns = []
    for band in range(3):
        maps = [mel_bands(FRONT_END, 8000, order) for order in (0, 1)]
        rows = [m.grouped(12).matrix[4 * band : 4 * band + 4] for m in maps]
        matrix, offset = np.concatenate(rows), np.zeros(8)

        def series(shard, matrix=matrix, offset=offset):
            return naive.box(naive.marginal_density(model, matrix, offset, shard.frames), shard.voiced, 12)

        normal = recordings(8, model=model)[4:]
        parts = [series(shard)[[t for t in range(0, 400, 5) if shard.voiced[t]]] for shard in normal]
        columns.append(naive.deviates(np.concatenate(parts), series(odd())))
    found = score_recording(learned("bands", model=model).scorer(context(model)), odd()).scores
    np.testing.assert_allclose(found, np.min(columns, axis=0), atol=2e-4)


def test_twfr_is_the_density_of_ranked_levels() -> None:
    arrays = learned_once("twfr").learned["twfr"]
    gmm = Mixture(arrays["weights"], arrays["means"], arrays["covariances"], "full")
    decay = float(arrays["decay"][0])
    bands = mel_bands(FRONT_END, 8000).grouped(12)

    def score(levels: np.ndarray) -> float:
        vector = naive.time_weighted(levels, decay).astype(np.float32)
        return float(naive.density(gmm, vector[None])[0])

    levels = odd().frames.astype(np.float64) @ bands.matrix.T + bands.offset
    wanted = naive.windowed(levels, odd().voiced, 12, 5, score)
    np.testing.assert_allclose(score_recording(scorer("twfr"), odd()).scores, wanted, rtol=1e-4, atol=1e-4)


def test_posterior_is_the_distance_to_the_nearest_normal_window() -> None:
    normal = np.square(learned_once("posterior").learned["posterior"]["windows"].astype(np.float64))
    assert len(normal) == 4 * 80  # every window of four recordings

    def score(rows: np.ndarray) -> float:
        mean = rows.mean(axis=0)
        return -min(naive.hellinger(mean, other) for other in normal)

    wanted = naive.windowed(naive.posteriors(mixture(), odd().frames), odd().voiced, 25, 5, score)
    np.testing.assert_allclose(score_recording(scorer("posterior"), odd()).scores, wanted, atol=2e-4)


def test_cusum_adds_up_deviates() -> None:
    model = mixture()
    deviates = scaled(lambda s: naive.box(plain(model, s), s.voiced, 50))
    wanted = naive.page(deviates, odd().voiced, 50, 0.5, 30.0)
    np.testing.assert_allclose(score_recording(scorer("cusum"), odd()).scores, wanted, atol=1e-5)


def test_cusum_hears_a_slow_change_that_no_window_shows() -> None:
    model = mixture()
    frames = model.sample(6000, seed=7)[0].astype(np.float32)
    drifting = frames * np.linspace(1.0, 1.02, 6000, dtype=np.float32)[:, None]
    every = np.ones(6000, dtype=bool)
    still, moved = (Frames("long", x, every) for x in (frames, drifting))
    apart = {}
    for names in ("mean", "cusum"):
        normal, changed = (score_recording(scorer(names), shard).scores for shard in (still, moved))
        apart[names] = (np.mean(normal[-1000:]) - np.mean(changed[-1000:])) / normal.std()
    assert apart["cusum"] > 2 * apart["mean"] > 0


def test_fusion_is_the_mean_of_deviates_of_scores() -> None:
    model = mixture()

    def mean(shard):
        return naive.box(plain(model, shard), shard.voiced, 12)

    def quantile(shard):
        return naive.low_quantile(plain(model, shard), shard.voiced, 12, 0.25)

    wanted = (scaled(mean) + scaled(quantile)) / 2
    found = score_recording(learned("mean,quantile").scorer(context()), odd()).scores
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_scores_that_share_likelihoods_evaluate_them_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fused = pickle.loads(pickle.dumps(learned("mean,quantile,scales,cusum").scorer(context())))
    calls = []
    plain = Evaluator.log_likelihood
    monkeypatch.setattr(
        Evaluator, "log_likelihood", lambda self, frames: calls.append(1) or plain(self, frames)
    )
    score_recording(fused, odd())
    assert len(calls) == 1


def test_another_background_is_kept_with_the_model(tmp_path: Path) -> None:
    other = mixture(form="diag", seed=5)
    on = make_score_context(mixture(), FRONT_END, CLOCK.frame_rate, background=other)
    scores = learned_from("ratio", on, [], calm(""))
    metadata = {"frontend": FRONT_END.to_dict(), "sample_rate": 8000}
    with_scores(Model(mixture(), metadata=metadata), scores).save(tmp_path / "m.agmm")
    found = score_recording(make_scorer(load(tmp_path / "m.agmm"), every_frame=False), odd()).scores
    ratios = plain(mixture(), odd()) - plain(other, odd())
    np.testing.assert_allclose(found, naive.box(ratios, odd().voiced, 12), rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("means", r"score 'means'.*\n?.*one of mean, ratio, quantile"),
        ("mean:0", r"score 'mean:0'.*\n?.*above 0 and at most 60 s"),
        ("mean:x", "score 'mean:x'"),
        ("mean:61", "score 'mean:61'"),
        ("mean,mean", r"scores 'mean,mean'.*\n?.*each score once"),
        ("", "score ''"),
    ],
)
def test_unknown_scores_are_refused(asked: str, said: str) -> None:
    with pytest.raises(ChoiceError, match=said):
        parse_scores(asked)


def test_scores_of_bands_need_bands() -> None:
    own = make_score_context(mixture(), None, 100.0)
    for name in ("bands", "twfr"):
        with pytest.raises(
            MismatchError, match=f"the score '{name}' and features that resolve 0 frequency bands"
        ):
            learn_on(name, own)


def learn_on(name: str, on) -> LearnedScores:
    return learned_from(name, on, recordings(2), calm(""))


def test_a_model_that_lost_part_of_its_scores_says_so() -> None:
    scores = learned_once("fusion")
    tensors = scores.tensors()
    for lost, said in (("scorer/twfr/means", "means"), ("scorer/group_scale/2", "group_scale/2")):
        kept = {name: array for name, array in tensors.items() if name != lost}
        with pytest.raises((ModelFileError, KeyError), match=said):
            LearnedScores.from_parts(scores.metadata(), kept).scorer(context())
    kept = {name: array for name, array in tensors.items() if not name.startswith("scorer/posterior/")}
    with pytest.raises(ModelFileError, match="'posterior'"):
        LearnedScores.from_parts(scores.metadata(), kept)


def test_scores_need_voiced_audio_to_learn_from() -> None:
    silent = [Frames("a", odd().frames, np.zeros(331, dtype=bool))]
    for name in ("twfr", "posterior", "scales", "mean,ratio"):
        with pytest.raises(MismatchError, match="voiced normal audio"):
            learned_from(name, context(), silent, silent)
