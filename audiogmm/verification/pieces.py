"""Background recordings in pieces: each with its statistics, some of them moved to other channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.reduce import LocalReducer
from audiogmm.types import BoolArray, FloatArray, Frames, IntArray
from audiogmm.verification.background_frames import Voice
from audiogmm.verification.supervector import centred

PIECE_SECONDS = 3.5
"""Voiced seconds of a piece."""

MOVED = 0.3
"""Share of the pieces that also count as if they had come over another channel."""

MOST_BYTES = 160 << 20
"""Of the statistics of pieces, at most."""


@dataclass(frozen=True, eq=False)
class Pieces:
    """Statistics of pieces of recordings.

    Attributes
    ----------
    owners : ndarray of shape (n,), int64
        Whose each is, as an index of speakers.
    recordings : ndarray of shape (n,), int64
        Of which recording.
    moved : ndarray of shape (n,), bool
        Whether it came over a synthetic channel.
    counts : ndarray of shape (n, n_components), float32
    first : ndarray of shape (n, n_components, n_features), float32
        See `supervector.centred`.
    """

    owners: IntArray
    recordings: IntArray
    moved: BoolArray
    counts: FloatArray
    first: FloatArray


def spans(n: int, length: int, most: int) -> list[slice]:
    """Cut n frames into at most `most` pieces of `length`; a rest of half a piece is one too.

    Examples
    --------
    >>> [(span.start, span.stop) for span in spans(25, 10, 9)]
    [(0, 10), (10, 20), (20, 25)]
    >>> [(span.start, span.stop) for span in spans(30, 10, 2)]
    [(0, 10), (20, 30)]
    """
    starts = [start for start in range(0, n, length) if n - start >= length / 2] or [0]
    if len(starts) > most:
        starts = [starts[i] for i in np.linspace(0, len(starts) - 1, most).round().astype(int)]
    return [slice(start, min(start + length, n)) for start in starts]


@dataclass(frozen=True)
class Cut:
    """Takes the statistics of the pieces of one voice, and of some of them over another channel."""

    evaluator: Evaluator
    most: int
    channels: Frames | None

    def __call__(self, voice: Voice) -> tuple[list[bool], FloatArray, FloatArray]:
        moved, counts, first = [], [], []
        for frames, over in self._frames(voice):
            n, f = centred(self.evaluator.mixture, self.evaluator.accumulate(frames))
            moved.append(over)
            counts.append(n)
            first.append(f)
        return moved, np.array(counts, np.float32), np.array(first, np.float32)

    def _frames(self, voice: Voice) -> Iterator[tuple[Frames, bool]]:
        length = max(1, round(PIECE_SECONDS * voice.frame_rate))
        draw = np.random.default_rng(list(voice.id.encode(errors="surrogatepass")))
        for span in spans(len(voice.frames), length, self.most):
            yield voice.frames[span], False
            if self.channels is not None and draw.uniform() < MOVED:
                yield voice.frames[span] + self.channels[draw.integers(len(self.channels))], True


def cut_pieces(
    background: Mixture,
    voices: Sequence[Voice],
    channels: Frames | None = None,
    reducer: LocalReducer | None = None,
) -> Pieces:
    """Cut voices into pieces and take their statistics under the background model.

    Parameters
    ----------
    background : Mixture
        The model.
    voices : sequence of Voice
        Recordings; of each speaker evenly spaced pieces are taken, as many as memory has room for.
    channels : ndarray of shape (c, n_features), float32, optional
        Offsets of frames over other channels.
    reducer : LocalReducer, optional
        Its threads do the work; the result does not depend on them.
    """
    names = {name: i for i, name in enumerate(dict.fromkeys(voice.speaker for voice in voices))}
    room = MOST_BYTES // (4 * background.means.size) / (1 + MOVED)
    most = max(2, int(room // max(len(voices), 1)))
    task = Cut(Evaluator(background), most, channels)
    found = list((reducer or LocalReducer(1)).threaded.map(voices, task))
    sizes = [len(moved) for moved, _, _ in found]
    return Pieces(
        np.repeat([names[voice.speaker] for voice in voices], sizes).astype(np.int64),
        np.repeat(np.arange(len(voices)), sizes).astype(np.int64),
        np.concatenate([np.array(moved, bool) for moved, _, _ in found]),
        np.concatenate([counts for _, counts, _ in found]),
        np.concatenate([first for _, _, first in found]),
    )
