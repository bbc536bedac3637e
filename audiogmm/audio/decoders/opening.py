"""The decoder that opens a recording, found by its first bytes."""

from __future__ import annotations

import io
from contextlib import ExitStack, suppress

from audiogmm.audio.decoders.cut import cut_note, refuse_cut
from audiogmm.audio.decoders.decoder import HIGHEST_RATE, LOWEST_RATE, Decoder
from audiogmm.audio.decoders.ffmpeg import has_ffmpeg, open_ffmpeg
from audiogmm.audio.decoders.libsndfile import LibsndfileDecoder
from audiogmm.audio.decoders.partial import partial_kind
from audiogmm.audio.decoders.source import (
    ByteSource,
    GuardedFile,
    copy_to_disk,
    empty_stream,
    open_source,
)
from audiogmm.audio.decoders.wave import WaveHeader, read_header
from audiogmm.audio.decoders.wave_decoder import WaveDecoder
from audiogmm.errors import AudioDataError, AudioFileError
from audiogmm.manifest.entry import STANDARD_INPUT, display_name, is_url
from audiogmm.reading import reading

_TAIL = 1 << 17
"""Bytes at either end of a file that show what it is."""


def open_decoder(path: str) -> Decoder:
    """Open a local file, a URL, or standard input, with the first of the decoders that understands it.

    Raises
    ------
    AudioFileError
        If it is missing, empty, not audio, or ends before its first sample; whatever else a reader raises.
    AudioDataError
        If its sample rate is below `LOWEST_RATE` or above `HIGHEST_RATE`: damage in its header.
    """
    with reading(display_name(path)):
        decoder = _open(path)
    rate = decoder.info.sample_rate
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        decoder.close()
        raise AudioDataError(
            f"{display_name(path)} has a sample rate of {rate} Hz: its header is damaged",
            needed=f"{LOWEST_RATE} Hz to {HIGHEST_RATE:,} Hz",
            remedy="copy or record it again, or take it out of the manifest",
        )
    return decoder


def _open(path: str) -> Decoder:
    with ExitStack() as opened:
        name = display_name(path)
        stream = open_source(path)
        opened.callback(stream.close)
        seeks = path != STANDARD_INPUT and stream.seekable()
        if isinstance(stream, GuardedFile):
            stream.refuse_failed(name)
        if not seeks:
            return _open_pipe(stream, name, opened)
        header = read_header(stream, name)
        size = stream.seek(0, 2)
        if isinstance(stream, GuardedFile):
            stream.refuse_failed(name)
        if header is not None and header.subtype:
            return WaveDecoder(stream, header, size, opened.pop_all(), name)
        if header is None:
            refuse_cut(stream, size, name)
        if not is_url(path):
            return _open_file(path, name, header, size, stream, ExitStack())
        assert isinstance(stream, GuardedFile)
        if partial_kind(stream, size) is None:
            notes = cut_note(stream, size, name)
            stream.seek(0)
            with suppress(AudioFileError):
                decoder = LibsndfileDecoder(stream, name, header, size, ExitStack())
                decoder.notes = notes
                decoder.closes(opened.pop_all())
                return decoder
        stream.refuse_failed(name)
        stream.seek(0)
        local = opened.enter_context(copy_to_disk(b"", stream, name))
        with local.open("rb") as file:
            return _open_file(str(local), name, header, size, file, opened.pop_all())


def _open_file(
    path: str, name: str, header: WaveHeader | None, size: int, stream: ByteSource, opened: ExitStack
) -> Decoder:
    """Open a local file that is no plain wav; `opened` is closed with its decoder."""
    with opened:
        refusal: AudioFileError | None = None
        try:
            decoder = LibsndfileDecoder(path, name, header, size, ExitStack())
        except AudioFileError as error:
            refusal = error
        part = partial_kind(stream, size) if refusal is None else None
        notes = cut_note(stream, size, name) if refusal is None else ()
        if refusal is None and (part is None or not has_ffmpeg()):
            if part is not None:
                notes += (f"{name} is {part}: some of it may be missing; install ffmpeg to hear it all",)
            decoder.notes = notes
            decoder.closes(opened.pop_all())
            return decoder
        rate = None
        if refusal is None:
            rate = decoder.info.sample_rate
            decoder.close()
        stream.seek(0)
        head = stream.read(_TAIL)
        stream.seek(max(0, size - _TAIL))
        other = open_ffmpeg(path, name, head + stream.read(_TAIL), refusal, opened.pop_all(), rate)
        other.notes += notes
        return other


def _open_pipe(stream: ByteSource, name: str, opened: ExitStack) -> Decoder:
    """Decode a wav stream as it arrives; keep any other on disk until it has all arrived."""
    recorder = _HeadRecorder(stream)
    header = read_header(recorder, name)
    if not recorder.head:
        raise empty_stream(name)
    if header is not None and header.subtype:
        return WaveDecoder(stream, header, None, opened.pop_all(), name)
    path = opened.enter_context(copy_to_disk(recorder.head, stream, name))
    with path.open("rb") as file:
        if header is None:
            refuse_cut(file, path.stat().st_size, name)
        return _open_file(str(path), name, header, path.stat().st_size, file, opened.pop_all())


class _HeadRecorder(io.RawIOBase):
    """A stream that keeps what was read of it."""

    def __init__(self, stream: ByteSource) -> None:
        self._stream = stream
        self.head = b""

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.head += data
        return data
