"""Frames of MPEG audio (MP3, MP2): where they begin, what the first states, whether the last is whole."""

from __future__ import annotations

from audiogmm.audio.decoders.source import ByteSource

_KBITS = {
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_KBITS[False, 3] = _KBITS[False, 2]
"""Kilobits a second, by whether it is version 1, and layer (ISO 11172-3 and 13818-3, table of bit rates)."""

_RATES = (44100, 48000, 32000)

_TAIL = 1 << 14
"""Bytes in which some frames end, whatever their rate."""

_CHAIN = 3
"""So many frames that follow one another are frames."""


def find_first_frame(stream: ByteSource) -> tuple[int, bytes]:
    """Return where the first frame of a stream begins, behind its tag, and up to 4096 bytes from there.

    The bytes are empty if it is no MPEG audio.
    """
    stream.seek(0)
    head, start = stream.read(10), 0
    if head.startswith(b"ID3") and len(head) == 10:
        start = tag_length(head)
    stream.seek(start)
    frame = stream.read(4096)
    is_mpeg = len(frame) >= 4 and frame[0] == 0xFF and frame[1] & 0xE0 == 0xE0 and frame[1] & 0x06
    return start, frame if is_mpeg else b""


def tag_length(head: bytes) -> int:
    """Return the bytes of an ID3 tag, by its first ten."""
    a, b, c, d = head[6:10]
    return 10 + (a << 21 | b << 14 | c << 7 | d)


def stated_length(frame: bytes) -> tuple[bool, int | None]:
    """Return whether a first frame states how many frames there are, and the bytes of all of them, if stated.

    Examples
    --------
    >>> stated_length(bytes(36) + b"Xing" + bytes([0, 0, 0, 3]) + bytes([0, 0, 0, 9, 0, 0, 16, 0]))
    (True, 4096)
    """
    found = max(frame[:256].find(b"Xing"), frame[:256].find(b"Info"))
    if found < 0 or not frame[found + 7] & 1:
        return b"VBRI" in frame[:256], None
    return True, int.from_bytes(frame[found + 12 : found + 16], "big") if frame[found + 7] & 2 else None


def frame_length(head: bytes) -> int:
    """Return the bytes of a frame, by its first four; 0 if they begin none, or do not tell.

    Examples
    --------
    >>> frame_length(bytes([0xFF, 0xFB, 0x90, 0x00]))  # layer III, 128 kbit/s, 44,100 Hz
    417
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    rate, speed = head[2] >> 2 & 3, head[2] >> 4
    if version == 1 or layer == 4 or rate == 3 or not 0 < speed < 15:
        return 0
    hertz = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    bits, padding = 1000 * _KBITS[version == 3, layer][speed], head[2] >> 1 & 1
    if layer == 1:
        return (12 * bits // hertz + padding) * 4
    return (72 if layer == 3 and version != 3 else 144) * bits // hertz + padding


def ends_in_frame(stream: ByteSource, size: int) -> bool:
    """Return whether MPEG audio ends in the middle of a frame, which decoders leave out, and say nothing."""
    stream.seek(max(0, size - _TAIL))
    tail = b"".join(iter(lambda: stream.read(_TAIL), b""))
    first = tail.find(b"\xff")
    while first >= 0:
        at, count, same = first, 0, tail[first + 1 : first + 2]
        while (length := frame_length(tail[at : at + 4])) and tail[at + 1 : at + 2] == same:
            at, count = at + length, count + 1
            if at > len(tail):
                return count > _CHAIN
        if count >= _CHAIN:
            return 0 < len(tail) - at < 4 and tail[at] == 0xFF
        first = tail.find(b"\xff", first + 1)
    return False
