"""The settings of a front end: all that decides what its frames are, as one frozen object."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from audiogmm.audio.frontend.checks import (
    checked_value,
    nearest,
    refuse_contradictions,
    refuse_large,
    refuse_unknown,
)
from audiogmm.audio.frontend.presets import PRESETS
from audiogmm.audio.frontend.stored import StoredSettings
from audiogmm.errors import ChoiceError, FrontEndError, MismatchError
from audiogmm.timeline import FrameClock
from audiogmm.types import Seconds

TELEPHONE_RATE = 8000
"""Hertz: up to here speech is taken for telephone speech, whose band begins at 100 Hz."""


@dataclass(frozen=True)
class FrontEndSettings(StoredSettings):
    """What a front end computes; the defaults are those of the preset `speech`.

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
        `povey` is a Hann window to the power of 0.85 (Kaldi's default).
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
        2595 log10(1 + f / 700); or linear up to 1 kHz and logarithmic above (Auditory Toolbox, librosa).
    mel_triangles : {"hertz", "mel"}
        The axis on which filters are triangles: hertz as in the HTK Book and librosa, mel as in Kaldi.
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
        Normalization of means: none; over the recording (two passes); over a centered window; over a causal
        one; by `cmvn_mean` and `cmvn_scale`. Or feature warping (Pelecanos and Sridharan 2001), before
        deltas are taken: each static feature becomes the standard normal quantile of its rank within a
        centered window. All frames of a window count, voiced or not.
    cmvn_window : Seconds
        Length of the window of `sliding`, `online` and `warping` (which makes the number of frames odd).
    cmvn_variance : bool
        Normalize variances too (`utterance`, `sliding`, `online`).
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
    >>> settings = FrontEndSettings.preset("kaldi")
    >>> settings.n_features(), settings.sizes(16000)
    (13, (400, 160, 512))
    >>> settings.difference(FrontEndSettings.preset("kaldi", n_mels=40))
    ['n_mels: 23 != 40']
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
        for field in dataclasses.fields(self):
            value = checked_value(field.name, str(field.type), getattr(self, field.name))
            object.__setattr__(self, field.name, value)
        refuse_contradictions(vars(self), self.n_features())

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """Make a front end by name: "speech", "ambient", "librosa" or "kaldi", with changes.

        Raises
        ------
        ChoiceError
            If there is no such preset or setting; the nearest known one is named.

        Examples
        --------
        >>> FrontEndSettings.preset("librosa", n_mfcc=13).n_features()
        13
        """
        if name not in PRESETS:
            raise ChoiceError(
                f"preset {name!r}", needed=f"one of {', '.join(PRESETS)}", remedy=nearest(name, PRESETS)
            )
        refuse_unknown(changes, cls.__dataclass_fields__)
        return cls(**PRESETS[name] | changes)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gives; what is missing is as in the preset named by `preset`, or in "speech".

        Raises
        ------
        ChoiceError
            If a setting is unknown; the nearest known one is named.

        Examples
        --------
        >>> FrontEndSettings.from_toml('preset = "kaldi"\\nn_mels = 40').n_mels
        40
        """
        changes = dict(settings)
        return cls.preset(changes.pop("preset", "speech"), **changes)

    def as_open_as(self, asked: FrontEndSettings) -> Self:
        """Return what these settings were made from: the same, but open again where `asked` is.

        Open are a `sample_rate` of None, a `sample_scale` of 0, and the statistics of global normalization.

        Examples
        --------
        >>> asked = FrontEndSettings.preset("ambient")
        >>> made = dataclasses.replace(asked, sample_rate=8000, sample_scale=2.5)
        >>> made.as_open_as(asked) == asked
        True
        """
        changes: dict[str, Any] = {}
        if self.cmvn == "global":
            changes = {"cmvn_mean": asked.cmvn_mean, "cmvn_scale": asked.cmvn_scale}
        if asked.sample_rate is None:
            changes["sample_rate"] = None
        if asked.sample_scale == 0:
            changes["sample_scale"] = 0.0
        return dataclasses.replace(self, **changes)

    def with_global(self, mean: Sequence[float], deviation: Sequence[float]) -> Self:
        """Return the same with the statistics by which it normalizes.

        Parameters
        ----------
        mean, deviation : sequence of float, length n_features()
            Of features that are not normalized; a deviation of zero counts as 1.
        """
        scale = tuple(1.0 / d if d > 0 else 1.0 for d in map(float, deviation))
        return dataclasses.replace(self, cmvn="global", cmvn_mean=tuple(map(float, mean)), cmvn_scale=scale)

    def without_global(self) -> Self:
        """Return the same without global normalization: `cmvn` becomes "none" where it was "global"."""
        if self.cmvn != "global":
            return self
        return dataclasses.replace(self, cmvn="none", cmvn_mean=(), cmvn_scale=())

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
        """Return how many numbers a feature vector has (as many at any sample rate)."""
        return self.n_static * (self.deltas + 1)

    def rate(self, sample_rate: int) -> int:
        """Return the rate, in hertz, at which a recording of `sample_rate` is analyzed.

        Raises
        ------
        MismatchError
            If the recording's rate is below the front end's.
        """
        wanted = self.sample_rate or sample_rate
        if wanted > sample_rate:
            raise MismatchError(
                f"audio at {sample_rate} Hz for a front end at {wanted} Hz",
                needed=f"{wanted} Hz or more",
                remedy="--upsample, or a front end at the lower rate",
            )
        return wanted

    def sizes(self, rate: int) -> tuple[int, int, int]:
        """Return frame length, hop and transform length in samples, at an analysis rate in hertz.

        Raises
        ------
        FrontEndError
            If a frame has less than two samples, a hop none, a frame does not fit into the transform, or the
            settings would take gigabytes.

        Examples
        --------
        >>> FrontEndSettings().sizes(44100)
        (1102, 441, 2048)
        """
        unit = 1.0 if self.length_unit == "samples" else float(rate)
        # rounded down, as in Kaldi, but not by the last digit of a product such as 0.025 * 16000
        length, hop = (int(unit * size + 1e-6) for size in (self.frame_length, self.hop_length))
        if length < 2 or hop < 1:
            raise FrontEndError(
                f"frames of {self.frame_length} {self.length_unit} every {self.hop_length} at {rate} Hz",
                needed="at least two samples a frame and one a hop",
            )
        enough = 1 << (length - 1).bit_length()
        n_fft = self.n_fft or enough
        if n_fft < length:
            raise FrontEndError(
                f"n_fft = {n_fft} for frames of {length} samples ({rate} Hz)",
                needed="a transform that holds a frame",
                remedy=f"n_fft = {enough}, or 0 for the next power of two",
            )
        refuse_large(vars(self), self.n_features(), n_fft, rate / hop)
        return length, hop, n_fft

    def band(self, rate: int) -> tuple[float, float]:
        """Return the lowest and the highest edge of the mel bands, hertz, at an analysis rate.

        Raises
        ------
        FrontEndError
            If they do not lie, in this order, between 0 and the Nyquist frequency.

        Examples
        --------
        >>> FrontEndSettings().band(8000), FrontEndSettings().band(16000)
        ((100.0, 3800.0), (20.0, 7600.0))
        """
        nyquist = rate / 2
        fmin = 100.0 if rate <= TELEPHONE_RATE else 20.0
        fmax = min(7600.0, 0.95 * nyquist)
        if self.fmin is not None:
            fmin = self.fmin
        if self.fmax is not None:
            fmax = self.fmax if self.fmax > 0 else nyquist + self.fmax
        if not 0 <= fmin < fmax <= nyquist:
            raise FrontEndError(
                f"mel bands from {fmin:g} to {fmax:g} Hz at a sample rate of {rate} Hz",
                needed=f"0 <= fmin < fmax <= {nyquist:g} Hz",
                remedy="another fmin or fmax, or a higher sample_rate",
            )
        return fmin, fmax

    def clock(self, sample_rate: int, offset: Seconds = 0.0) -> FrameClock:
        """Return where the frames of a recording of this rate lie; it begins at `offset` seconds."""
        rate = self.rate(sample_rate)
        length, hop, _ = self.sizes(rate)
        return FrameClock(rate, hop, length, offset)
