"""Containers of audio that are known by their first bytes, with their names in ffmpeg."""

from __future__ import annotations

import re

CONTAINERS = (
    (rb".{4}(ftyp|moov|mdat|wide|free)", "mov", "MPEG-4 or QuickTime"),
    (rb"\x1a\x45\xdf\xa3", "matroska", "Matroska or WebM"),
    (rb"\xff[\xf0\xf1\xf8\xf9]", "aac", "AAC (ADTS)"),
    (rb"#!AMR", "amr", "AMR"),
    (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf", "Windows Media (ASF)"),
    (rb"caff", "caf", "Core Audio (CAF)"),
    (rb"\x0b\x77", "ac3", "AC-3"),
    (rb"OggS", "ogg", "Ogg"),
    (rb"fLaC", "flac", "FLAC"),
    (rb"wvpk", "wv", "WavPack"),
    (rb"TTA[12]", "tta", "True Audio"),
    (rb"MAC ", "ape", "Monkey's Audio"),
    (rb"MPCK", "mpc8", "Musepack"),
    (rb"MP\+", "mpc", "Musepack"),
    (rb"DSD ", "dsf", "DSD stream"),
    (rb"FLV\x01", "flv", "Flash video"),
    (rb"RIFF.{4}AVI ", "avi", "AVI"),
    (rb"(RIFF|RIFX|RF64|BW64).{4}WAVE", "wav", "wav"),
    (rb"FORM.{4}AIF[FC]", "aiff", "AIFF"),
    (rb"G.{187}G", "mpegts", "MPEG transport stream"),
    (rb"\x00\x00\x01\xba", "mpeg", "MPEG program stream"),
    (rb"\x7f\xfe\x80\x01", "dts", "DTS"),
    (rb"\.RMF", "rm", "RealMedia"),
    (rb"(ID3|\xff[\xe2-\xef\xf2-\xf7\xfa-\xff])", "mp3", "MPEG audio"),
)
"""The first bytes of a file, as a regular expression; ffmpeg's demuxer; what to call it."""


def container_of(head: bytes) -> tuple[str, str] | None:
    """Return ffmpeg's name of a container and ours, by the first bytes of a file; None if it is none.

    Examples
    --------
    >>> container_of(b"#!AMR-WB" + bytes(100))
    ('amr', 'AMR')
    >>> container_of(b"#EXTM3U") is None
    True
    """
    for magic, demuxer, name in CONTAINERS:
        if re.match(magic, head, re.DOTALL):
            return demuxer, name
    return None
