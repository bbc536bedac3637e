"""Files that libsndfile cannot open, by the programs ffprobe and ffmpeg.

Only files whose first bytes are those of a container in `containers` are given to them, with the name of its
demuxer and no protocol but files and pipes: nothing in a file's content makes ffmpeg open another one.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from typing import IO, Any

from numpy.typing import NDArray

from audiogmm.audio.decoders.containers import container_of
from audiogmm.audio.decoders.decoder import CEILINGS, FLOAT_CEILING, AudioInfo, skip
from audiogmm.audio.decoders.wave import read_header
from audiogmm.audio.decoders.wave_decoder import WaveDecoder
from audiogmm.contents import contents_of
from audiogmm.errors import AudioFileError
from audiogmm.types import Seconds

_MEASURED = {"mov", "matroska", "asf", "caf", "wv", "tta", "ape", "mpc8", "flac", "avi", "wav", "aiff", "dsf"}
"""Containers that store their length; ffprobe guesses that of others from the bit rate."""

_SLACK: Seconds = 0.1
"""A recording may be this much shorter than its container says: some count packets, some milliseconds."""

_PADDING = 4096
"""Samples, at most, that the last packet of a coder holds behind the end of the sound."""

_PATIENCE: Seconds = 60.0
"""ffmpeg is ended if it says nothing for so long."""

_INSTALL = (
    "install ffmpeg (apt install ffmpeg, brew install ffmpeg, winget install ffmpeg), or convert it to FLAC"
)


def has_ffmpeg() -> bool:
    """Return whether ffprobe and ffmpeg are on the PATH."""
    return shutil.which("ffprobe") is not None and shutil.which("ffmpeg") is not None


def open_ffmpeg(
    path: str,
    name: str,
    head: bytes,
    refusal: AudioFileError | None,
    opened: ExitStack,
    rate: int | None = None,
) -> FfmpegDecoder:
    """Open a local file with ffmpeg.

    Parameters
    ----------
    path : str
    name : str
        For messages.
    head : bytes
        Its first bytes, 200 or more, and its last.
    refusal : AudioFileError or None
        What libsndfile said; raised if the bytes begin no container.
    opened : ExitStack
        Closed with the decoder, or when it cannot be opened.
    rate : int or None
        Hertz to decode at; None: the stream's own (Opus has always 48,000).

    Raises
    ------
    AudioFileError
        If ffmpeg is missing, or finds no sound.
    """
    with opened:
        found = container_of(head)
        if found is None and (contents := contents_of(head)) is not None:
            raise AudioFileError(
                f"{name} is {contents}",
                needed="a recording",
                remedy="get the file itself, or correct the path",
            )
        if found is None:
            raise refusal or AudioFileError(f"{name} is not audio", needed="a container of sound")
        demuxer, title = found
        programs = shutil.which("ffprobe"), shutil.which("ffmpeg")
        if programs[0] is None or programs[1] is None:
            codec = "AAC in MPEG-4" if demuxer == "mov" and b"mp4a" in head else title
            raise AudioFileError(
                f"{name} is {codec}, which needs ffmpeg, and that is not installed",
                needed="the programs ffmpeg and ffprobe on the PATH",
                remedy=_INSTALL,
            )
        source = ["-protocol_whitelist", "file,pipe", "-f", demuxer, "-i", f"file:{path}"]
        stream = _probe([programs[0], "-v", "error", *source], name, title)
        stream["sample_rate"] = rate or stream["sample_rate"]
        decoder = FfmpegDecoder(
            [programs[1], "-v", "error", "-nostdin", *source], name, demuxer, title, stream
        )
        decoder.closes(opened.pop_all())
        return decoder


def _probe(command: list[str], name: str, title: str) -> dict[str, Any]:
    """What ffprobe says of the first audio stream, with the container's duration."""
    entries = (
        "stream=codec_name,sample_rate,channels,sample_fmt,duration:stream_tags=DURATION:format=duration"
    )
    options = ["-select_streams", "a", "-show_entries", entries, "-of", "json"]
    try:
        result = subprocess.run(
            [*command, *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _hung("ffprobe", name) from None
    except OSError as error:
        raise AudioFileError(
            f"{name}: ffprobe fails: {error}", needed="ffprobe of ffmpeg 4 or newer"
        ) from None
    try:
        answer = json.loads(result.stdout or b"{}")
    except ValueError:
        answer = {}
    streams = [
        stream
        for stream in answer.get("streams", [])
        if int(stream.get("channels") or 0) and int(stream.get("sample_rate") or 0)
    ]
    if result.returncode or not streams:
        said = _last_line(result.stderr) or "it has no audio stream"
        raise AudioFileError(
            f"{name} is not audio that can be read: it begins as {title}, and ffmpeg says: {said}",
            needed="a whole file with an audio stream",
            remedy="open it in a player; copy or record it again, or take it out of the manifest",
        )
    first: dict[str, Any] = streams[0]
    first.setdefault("duration", answer.get("format", {}).get("duration"))
    first["n_streams"] = len(streams)
    return first


class FfmpegDecoder:
    """A file that ffmpeg decodes, in a process of its own, to a wav stream that is read as it arrives."""

    promised: int | None = None  # checked here, with some slack

    def __init__(
        self, command: list[str], name: str, demuxer: str, title: str, stream: dict[str, Any]
    ) -> None:
        self._name, self._title = name, title
        exact = stream.get("sample_fmt") in ("s16", "s16p", "u8", "u8p")
        rate = int(stream["sample_rate"])
        self._stated: int | None = None
        if demuxer in _MEASURED and stream.get("duration"):
            self._stated = round(float(stream["duration"]) * rate)
        self._may_go_on = demuxer in ("mp3", "ogg")  # a tag between two songs is an error to ffmpeg
        self._is_ogg = demuxer == "ogg"
        self._exact_end = demuxer == "mov"
        self._got = 0
        self._kept: list[NDArray[Any]] = []
        self._command = [
            *command,
            "-map",
            "0:a:0",
            "-ar",
            str(rate),
            "-c:a",
            "pcm_s16le" if exact else "pcm_f32le",
            "-f",
            "wav",
            "-",
        ]
        self.notes: tuple[str, ...] = ()
        if stream["n_streams"] > 1:
            self.notes = (f"{name} has {stream['n_streams']} audio tracks; the first one is read",)
        self._opened = ExitStack()
        try:
            self._start()
        except BaseException:
            self._opened.close()
            raise
        info = self._wave.info
        subtype = info.format.partition(" ")[2]
        self.ceiling: float = CEILINGS.get(subtype, FLOAT_CEILING)
        self.info = AudioInfo(
            info.sample_rate, info.channels, self._stated, f"{title} {stream['codec_name']}"
        )

    def seek(self, sample: int) -> None:
        """Decode up to a sample."""
        skip(self, sample)

    def read(self, n_samples: int) -> NDArray[Any]:
        """Return the next samples; at the end, see whether it is the whole."""
        samples = self._kept.pop(0) if self._kept else self._wave.read(n_samples)
        if not len(samples):
            self._refuse_damaged()
            return samples
        before, self._got = self._got, self._got + len(samples)
        if self._exact_end and self._stated is not None and before <= self._stated < self._got:
            return self._without_padding(samples, self._stated)
        return samples

    def _without_padding(self, samples: NDArray[Any], stated: int) -> NDArray[Any]:
        """Cut off what the last packet holds behind the end, as the container's edit list says."""
        over = self._got - stated
        while over <= _PADDING and len(piece := self._wave.read(_PADDING)):
            self._kept.append(piece)
            over += len(piece)
        if over > _PADDING:  # more than padding
            return samples
        self._kept.clear()
        samples = samples[: len(samples) - (self._got - stated)]
        self._got = stated
        if not len(samples):
            self._refuse_damaged()
        return samples

    def closes(self, opened: ExitStack) -> None:
        """Close this too, after ffmpeg has ended."""
        inner, self._opened = self._opened, ExitStack()
        self._opened.callback(opened.close)
        self._opened.callback(inner.close)

    def close(self) -> None:
        """End ffmpeg."""
        self._opened.close()

    def _start(self) -> None:
        self._errors: IO[bytes] = self._opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                bufsize=0,
            )
        except OSError as error:
            raise AudioFileError(f"{self._name}: ffmpeg fails: {error}", needed="ffmpeg 4 or newer") from None
        self._opened.callback(self._end)
        pipe = _Patient(self._process, self._name)
        try:
            header = read_header(pipe, self._name)
        except AudioFileError:
            if pipe.hung:
                raise
            header = None
        if header is None:
            self._refuse_damaged()
            raise self._damaged("it gives no sound")
        self._wave = WaveDecoder(pipe, header, None, ExitStack(), self._name)

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _refuse_damaged(self) -> None:
        """At the end: refuse what ffmpeg could not decode, or what is shorter than the container says."""
        try:
            status = self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            raise _hung("ffmpeg", self._name) from None
        self._errors.seek(0)
        said = _last_line(self._errors.read(1 << 16))
        rate = self.info.sample_rate if hasattr(self, "info") else 1
        if self._stated is not None and hasattr(self, "info") and self._got < self._stated - _SLACK * rate:
            raise AudioFileError(
                f"{self._name} is truncated: it holds {self._got / rate:.3f} s of the "
                f"{self._stated / rate:.3f} s that its header promises"
                f"{f' (ffmpeg: {said})' if said else ''}",
                needed="a whole file",
                remedy="copy or record it again",
            )
        if status:
            raise self._damaged(said or f"exit status {status}")
        if said and self._stated is None and not self._may_go_on:
            raise self._damaged(said)
        if said and not self._is_ogg:  # the headers of a second link are errors to it
            self.notes = (*self.notes, f"{self._name} is damaged in places (ffmpeg: {said})")

    def _damaged(self, said: str) -> AudioFileError:
        return AudioFileError(
            f"{self._name} is truncated or damaged: it begins as {self._title}, and ffmpeg says: {said}",
            needed="a whole file",
            remedy="copy or record it again",
        )


class _Patient:
    """The output of a process, which is ended if it hangs."""

    def __init__(self, process: subprocess.Popen[bytes], name: str) -> None:
        assert process.stdout is not None
        self._process, self._name = process, name
        self.hung = False
        self._number = process.stdout.fileno()

    def read(self, size: int = -1, /) -> bytes:
        """Return 1 to `size` bytes; none at the end."""
        if os.name == "posix" and not select.select([self._number], [], [], _PATIENCE)[0]:
            self._process.kill()
            self.hung = True
            raise _hung("ffmpeg", self._name)
        return os.read(self._number, size if size >= 0 else 1 << 16)

    def seekable(self) -> bool:
        return False

    def seek(self, offset: int, whence: int = 0, /) -> int:
        raise OSError("a pipe cannot seek")

    def close(self) -> None:
        """Do nothing: the decoder ends the process."""


def _hung(program: str, name: str) -> AudioFileError:
    return AudioFileError(
        f"{name}: {program} gave nothing for {_PATIENCE:g} s, and was ended",
        needed="a whole file, on a disk that answers",
        remedy="copy it here, or take it out of the manifest",
    )


def _last_line(text: bytes) -> str:
    """The last thing that a program said, without the address of its part."""
    lines = [line for line in text.decode("utf-8", "replace").splitlines() if line.strip()]
    return re.sub(r"^\[[^]]* @ 0x[0-9a-f]+\] ", "", lines[-1]).strip() if lines else ""
