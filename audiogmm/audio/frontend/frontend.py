"""The front end: every setting that turns a recording into feature vectors, as one frozen object."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiogmm.audio.frontend.checks import check, from_settings, nearest, read_toml, to_toml
from audiogmm.audio.frontend.latency import Latency, latency_of
from audiogmm.audio.frontend.presets import PRESETS
from audiogmm.audio.frontend.rates import analysis_rate, band, sizes
from audiogmm.blocks import FrameBlock
from audiogmm.errors import ChoiceError
from audiogmm.timeline import FrameClock
from audiogmm.types import Frames, Json, Samples, Seconds

if TYPE_CHECKING:
    from audiogmm.audio.frontend.stream import FrameStream


@dataclass(frozen=True)
class FrontEnd:
    """Settings of a front end; the defaults are those of the preset `speech`.

    Attributes
    ----------
    sample_rate : int or None
        Hertz to which recordings are resampled; None takes each recording's own.
    length_unit : {"seconds", "samples"}
        Unit of `frame_length` and `hop_length`.
    frame_length, hop_length : float
        Length of a frame, and from one frame's start to the next; samples are rounded down.
    n_fft : int
        Samples of the Fourier transform, zeros behind the frame; 0: the next power of two.
    window : {"hann", "hamming", "povey", "blackman", "rectangular"}
    window_periodic : bool
        Of period `frame_length` (librosa) in place of symmetric (Kaldi).
    sample_scale : float
        What a full-scale sample counts as (Kaldi: 32768). 0 leaves it to training, which brings its audio to
        one level; until then it is 1.
    dither : float
        Standard deviation of the Gaussian noise added to samples, in scaled units (Kaldi: 1.0); 0: none.
    dither_seed : int
        Seed of that noise.
    remove_dc : bool
        Subtract each frame's mean.
    preemphasis : float
        x[n] - preemphasis * x[n-1] within each frame, whose first sample repeats; 0: none.
    spectrum : {"power", "magnitude"}
    n_mels : int
        Mel bands.
    mel_scale : {"htk", "slaney"}
    mel_triangles : {"hertz", "mel"}
        The axis on which filters are triangles.
    mel_norm : {"none", "slaney"}
        Height 1, or equal area.
    fmin : float or None
        Lower edge of the lowest band, hertz; None: 100 up to 8 kHz (telephone), else 20.
    fmax : float or None
        Upper edge of the highest band, hertz; 0 or below: so much under the Nyquist frequency (Kaldi); None:
        95 % of the Nyquist frequency, at most 7600.
    log_scale : {"ln", "db"}
        Natural logarithm, or 10 log10.
    log_floor : float
        Smallest band energy, in squared scaled units.
    feature : {"mfcc", "logmel"}
        Cepstra, or the log energies of the mel bands.
    n_mfcc : int
        Cepstra (an energy in place of c0 counted).
    include_c0 : bool
        Cepstra c0 to c(n_mfcc - 1); otherwise c1 to c(n_mfcc).
    lifter : float
        c_k times 1 + (lifter / 2) sin(pi k / lifter); 0: none.
    energy : {"none", "raw", "windowed"}
        Log energy of the frame in place of c0, or before the log-mel bands.
    deltas : int
        Highest order of deltas; 0: none.
    delta_window : int
        Frames to either side in each regression.
    cmvn : {"none", "utterance", "sliding", "online", "global", "warping"}
        Normalisation of means: none; over the recording (two passes); over a centred window; over a causal
        one; by `cmvn_mean` and `cmvn_scale`. Or feature warping (Pelecanos and Sridharan 2001), before
        deltas are taken: each static feature becomes the standard normal quantile of its rank within a
        centred window. All frames of a window count, voiced or not.
    cmvn_window : Seconds
        Length of the window of `sliding`, `online` and `warping` (which makes the number of frames odd).
    cmvn_variance : bool
        Normalise variances too (`utterance`, `sliding`, `online`).
    cmvn_mean, cmvn_scale : tuple of float
        Statistics of `global`: means, and one over the deviations.
    vad : {"none", "energy"}
        Activity detector; frames whose samples are all exactly zero are never voiced.
    vad_window : Seconds
        Window in which the detector looks for quiet and loud levels.
    vad_margin, vad_depth : float
        Decibels above the quiet level, and at most below the loud one, that a voiced frame is.
    vad_before, vad_after : Seconds
        Marked ahead of loud frames, and behind them (the hangover).

    Raises
    ------
    ChoiceError
        If a setting has the wrong kind, is not one of its choices, or out of range.
    FrontEndError
        If two settings contradict each other.

    Examples
    --------
    >>> frontend = FrontEnd.preset("kaldi")
    >>> frontend(np.zeros(16000, np.float32), 16000).shape
    (98, 13)
    >>> frontend.difference(FrontEnd.preset("kaldi", n_mels=40))
    ['n_mels: 23 != 40']
    >>> FrontEnd.preset("speech", cmvn="sliding", deltas=2).latency.steady
    153
    """

    sample_rate: int | None = None
    length_unit: str = "seconds"
    frame_length: float = 0.025
    hop_length: float = 0.010
    n_fft: int = 0
    window: str = "hamming"
    window_periodic: bool = False
    sample_scale: float = 1.0
    dither: float = 0.0
    dither_seed: int = 0
    remove_dc: bool = True
    preemphasis: float = 0.97
    spectrum: str = "power"
    n_mels: int = 30
    mel_scale: str = "htk"
    mel_triangles: str = "hertz"
    mel_norm: str = "none"
    fmin: float | None = None
    fmax: float | None = None
    log_scale: str = "ln"
    log_floor: float = 1e-12
    feature: str = "mfcc"
    n_mfcc: int = 20
    include_c0: bool = False
    lifter: float = 0.0
    energy: str = "none"
    deltas: int = 1
    delta_window: int = 2
    cmvn: str = "none"
    cmvn_window: Seconds = 3.0
    cmvn_variance: bool = False
    cmvn_mean: tuple[float, ...] = ()
    cmvn_scale: tuple[float, ...] = ()
    vad: str = "energy"
    vad_window: Seconds = 3.0
    vad_margin: float = 4.0
    vad_depth: float = 30.0
    vad_before: Seconds = 0.02
    vad_after: Seconds = 0.05

    def __post_init__(self) -> None:
        check(self)

    @classmethod
    def preset(cls, name: str, **changes: Any) -> FrontEnd:
        """A front end by name: "speech", "ambient", "librosa" or "kaldi", with changes.

        Raises
        ------
        ChoiceError
            If there is no such preset or setting.

        Examples
        --------
        >>> FrontEnd.preset("librosa", n_mfcc=13).n_features()
        13
        """
        if name not in PRESETS:
            raise ChoiceError(
                f"preset {name!r}", needed=f"one of {', '.join(PRESETS)}", remedy=nearest(name, PRESETS)
            )
        return cls(**PRESETS[name] | from_settings(changes, cls._names()))

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> FrontEnd:
        """A front end from `to_dict`; what is missing is as in the preset named by `preset`, or in "speech".

        Raises
        ------
        ChoiceError
            If a setting is unknown; the nearest known one is named.
        """
        changes = dict(settings)
        return cls.preset(changes.pop("preset", "speech"), **changes)

    def to_dict(self) -> Json:
        """Every setting that is not None, for JSON and TOML."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name in self._names()
            if (value := getattr(self, name)) is not None
        }

    @classmethod
    def from_toml(cls, text: str | Path) -> FrontEnd:
        """A front end from a TOML document (a string), or from a file (a Path). See `from_dict`.

        Raises
        ------
        FrontEndError
            If it is not TOML, or cannot be read.

        Examples
        --------
        >>> FrontEnd.from_toml('preset = "kaldi"\\nn_mels = 40').n_mels
        40
        """
        return cls.from_dict(read_toml(text))

    def to_toml(self) -> str:
        """The settings as a TOML document that `from_toml` reads."""
        return to_toml(self.to_dict())

    @classmethod
    def _names(cls) -> list[str]:
        return [field.name for field in dataclasses.fields(cls)]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all settings, hexadecimal: equal fingerprints mean equal frames."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()

    def difference(self, other: FrontEnd) -> list[str]:
        """The settings in which another front end differs, as "name: ours != theirs"."""
        return [
            f"{name}: {getattr(self, name)!r} != {getattr(other, name)!r}"
            for name in self._names()
            if getattr(self, name) != getattr(other, name)
        ]

    def as_open_as(self, asked: FrontEnd) -> FrontEnd:
        """The same, but open again where `asked` leaves things open: what a settled front end was made from.

        Open are a `sample_rate` of None, a `sample_scale` of 0, and the statistics of global normalisation.

        Examples
        --------
        >>> asked = FrontEnd.preset("ambient")
        >>> made = dataclasses.replace(asked, sample_rate=8000, sample_scale=2.5)
        >>> made.as_open_as(asked) == asked
        True
        """
        changes: dict[str, Any] = {"cmvn_mean": asked.cmvn_mean, "cmvn_scale": asked.cmvn_scale}
        if self.cmvn != "global":
            changes = {}
        if asked.sample_rate is None:
            changes["sample_rate"] = None
        if asked.sample_scale == 0:
            changes["sample_scale"] = 0.0
        return dataclasses.replace(self, **changes)

    @property
    def scale(self) -> float:
        """What a full-scale sample counts as: `sample_scale`, or 1 where training has still to find it."""
        return self.sample_scale or 1.0

    @property
    def n_static(self) -> int:
        """Features of a frame before deltas."""
        if self.feature == "mfcc":
            return self.n_mfcc
        return self.n_mels + (self.energy != "none")

    def n_features(self, sample_rate: int | None = None) -> int:
        """Numbers in a feature vector (the same at any sample rate)."""
        return self.n_static * (self.deltas + 1)

    def rate(self, sample_rate: int) -> int:
        """Hertz at which a recording of `sample_rate` is analysed: see `rates.analysis_rate`."""
        return analysis_rate(self, sample_rate)

    def sizes(self, rate: int) -> tuple[int, int, int]:
        """Frame length, hop and transform length in samples, at an analysis rate: see `rates.sizes`."""
        return sizes(self, rate)

    def band(self, rate: int) -> tuple[float, float]:
        """Lowest and highest edge of the mel bands, hertz, at an analysis rate: see `rates.band`."""
        return band(self, rate)

    def clock(self, sample_rate: int, offset: Seconds = 0.0) -> FrameClock:
        """Where the frames of a recording of this rate lie; its first sample is `offset` seconds into it."""
        rate = self.rate(sample_rate)
        length, hop, _ = self.sizes(rate)
        return FrameClock(rate, hop, length, offset)

    @property
    def latency(self) -> Latency:
        """Frames that each stage waits for, at `sample_rate` (16 kHz where that is None)."""
        return self.latency_at(self.sample_rate or 16000)

    def latency_at(self, sample_rate: int) -> Latency:
        """Frames that each stage waits for, for recordings of this rate."""
        return latency_of(self, self.clock(sample_rate))

    def with_global(self, mean: Sequence[float], deviation: Sequence[float]) -> FrontEnd:
        """The same front end with the statistics by which it normalises.

        Parameters
        ----------
        mean, deviation : sequence of float, length n_features()
            Of un-normalised features; a deviation of zero counts as 1.
        """
        scale = [1.0 / d if d > 0 else 1.0 for d in map(float, deviation)]
        mean = tuple(map(float, mean))
        return dataclasses.replace(self, cmvn="global", cmvn_mean=mean, cmvn_scale=tuple(scale))

    def without_global(self) -> FrontEnd:
        """The same front end without global normalisation: `cmvn` becomes "none" where it was "global"."""
        if self.cmvn != "global":
            return self
        return dataclasses.replace(self, cmvn="none", cmvn_mean=(), cmvn_scale=())

    def stream(self, sample_rate: int, offset: Seconds = 0.0) -> FrameStream:
        """A stream that takes mono samples at `sample_rate` and gives blocks of frames.

        Raises
        ------
        MismatchError
            If `sample_rate` is below the front end's.
        FrontEndError
            If the front end normalises over the whole recording, or by global statistics that it does not
            have.
        """
        from audiogmm.audio.frontend.stream import FrameStream

        return FrameStream(self, sample_rate, offset)

    def two_passes(
        self, open_chunks: Callable[[], Iterable[Samples]], sample_rate: int, offset: Seconds = 0.0
    ) -> Iterator[FrameBlock]:
        """Blocks of frames normalised over the whole recording (`cmvn="utterance"`), which is read twice.

        Parameters
        ----------
        open_chunks : callable
            Gives the recording's chunks of mono samples, anew at each call.
        sample_rate : int
            Theirs, hertz.
        offset : Seconds
            Of the first sample.
        """
        from audiogmm.audio.frontend.stream import two_passes

        return two_passes(self, open_chunks, sample_rate, offset)

    def __call__(self, samples: Samples, sample_rate: int) -> Frames:
        """All frames of a recording that is in memory.

        Parameters
        ----------
        samples : array_like of shape (n_samples,)
            Mono, full scale is 1.0; converted to float32.
        sample_rate : int
            Hertz.

        Returns
        -------
        ndarray of shape (n_frames, n_features), float32

        Raises
        ------
        AudioDataError
            If a sample is not finite.
        """
        if self.cmvn == "utterance":
            blocks = list(self.two_passes(lambda: [samples], sample_rate))
        else:
            stream = self.stream(sample_rate)
            blocks = stream.push(samples) + stream.flush()
        if not blocks:
            return np.empty((0, self.n_features()), np.float32)
        return np.concatenate([block.frames for block in blocks])
