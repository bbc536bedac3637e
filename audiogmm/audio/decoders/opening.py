"""Which decoder for which recording."""

from __future__ import annotations

import io
from contextlib import ExitStack

from audiogmm.audio.decoders.audioread_file import open_audioread
from audiogmm.audio.decoders.decoder import Decoder
from audiogmm.audio.decoders.libsndfile import LibsndfileDecoder
from audiogmm.audio.decoders.ogg import is_cut_off
from audiogmm.audio.decoders.pipe import PipeDecoder
from audiogmm.audio.decoders.source import (
    ByteSource,
    GuardedFile,
    empty_stream,
    open_source,
    spooled,
)
from audiogmm.audio.decoders.wave import read_header
from audiogmm.errors import AudioFileError
from audiogmm.manifest.entry import STANDARD_INPUT, display_name, is_url


def open_decoder(path: str) -> Decoder:
    """Open a local file, a URL, or standard input, with the first of the decoders that understands it.

    Raises
    ------
    AudioFileError
        If it is missing, empty, not audio, or ends before its first sample.
    """
    with ExitStack() as opened:
        name = display_name(path)
        stream = open_source(path)
        opened.callback(stream.close)
        if path == STANDARD_INPUT or not stream.seekable():
            return _open_pipe(stream, name, opened)
        header = read_header(stream, name)
        size = stream.seek(0, 2)
        if header is not None and header.data_size is None and header.subtype:
            stream.seek(header.data_start)
            n_samples = (size - header.data_start) // (header.width * header.channels)
            return PipeDecoder(stream, header, n_samples, opened.pop_all())
        if header is None and is_cut_off(stream):
            raise AudioFileError(
                f"{name} is truncated: its last Ogg page is cut off",
                needed="a whole file",
                remedy="copy or record it again",
            )
        if is_url(path):
            assert isinstance(stream, GuardedFile)
            stream.seek(0)
            return LibsndfileDecoder(stream, name, header, size, opened.pop_all())
        try:
            return LibsndfileDecoder(path, name, header, size, ExitStack())
        except AudioFileError as refusal:
            return open_audioread(path, refusal)


def _open_pipe(stream: ByteSource, name: str, opened: ExitStack) -> Decoder:
    """Decode a wav stream as it arrives; keep any other on disk until it has all arrived."""
    remembering = _Remembering(stream)
    header = read_header(remembering, name)
    if not remembering.head:
        raise empty_stream(name)
    if header is not None and header.subtype:
        return PipeDecoder(stream, header, None, opened.pop_all())
    path = opened.enter_context(spooled(remembering.head, stream, name))
    if header is None:
        with path.open("rb") as file:
            header = read_header(file, name)
    return LibsndfileDecoder(str(path), name, header, path.stat().st_size, opened.pop_all())


class _Remembering(io.RawIOBase):
    """A stream that keeps what was read of it."""

    def __init__(self, stream: ByteSource) -> None:
        self._stream = stream
        self.head = b""

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.head += data
        return data
