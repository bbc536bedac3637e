"""What an entry is in Lhotse's terms: a cut, a supervision, a recording."""

from __future__ import annotations

from audiogmm.errors import ManifestError
from audiogmm.manifest.entry import Entry, channels_of, is_url
from audiogmm.manifest.folder import ManifestFolder
from audiogmm.manifest.record import record_of
from audiogmm.manifest.toolkits import recording_id
from audiogmm.types import Json

SUPERVISION_KEYS = frozenset({"id", "recording_id", "start", "duration", "channel", "speaker", "text"})
"""The keys of a supervision that an entry can hold; those of a cut's with more are kept as they are."""

_PLACED = SUPERVISION_KEYS | {
    "audio_filepath",
    "offset",
    "sample_rate",
    "num_samples",
    "channels",
    "supervisions",
}
"""The keys of ours that have a place in a cut; the others go into `custom`."""


def cut_of(entry: Entry) -> Json:
    """Return the cut that an entry is.

    Raises
    ------
    ManifestError
        As `recording_of` does.
    """
    recording = recording_of(entry)
    channels = channels_of(entry.channel) or tuple(recording["channel_ids"])
    spans = entry.extra.get("supervisions")
    if not isinstance(spans, list):
        said = entry.speaker is not None or "text" in entry.extra
        spans = [supervision_of(entry, recording, 0.0)] if said else []
    return {
        "id": str(entry.extra.get("id", entry.id)),
        "start": entry.offset,
        "duration": _duration(entry, recording),
        "channel": list(channels) if len(channels) > 1 else channels[0],
        "supervisions": spans,
        "recording": recording,
        "custom": custom_of(entry),
        "type": "MultiCut" if len(channels) > 1 else "MonoCut",
    }


def supervision_of(entry: Entry, recording: Json, start: float) -> Json:
    """Return the supervision that an entry is, beginning `start` seconds into its recording or its cut."""
    channels = channels_of(entry.channel) or tuple(recording["channel_ids"])
    span: Json = {
        "id": str(entry.extra.get("id", entry.id)),
        "recording_id": recording["id"],
        "start": start,
        "duration": _duration(entry, recording),
        "channel": list(channels) if len(channels) > 1 else channels[0],
    }
    if entry.speaker is not None:
        span["speaker"] = entry.speaker
    if "text" in entry.extra:
        span["text"] = entry.extra["text"]
    return span


def _duration(entry: Entry, recording: Json) -> float:
    return round(recording["duration"] - entry.offset, 9) if entry.duration is None else entry.duration


def custom_of(entry: Entry) -> Json:
    """Return the keys that Lhotse has no place for."""
    record = record_of(entry, ManifestFolder("/"))
    return {key: value for key, value in record.items() if key not in _PLACED}


def recording_of(entry: Entry) -> Json:
    """Return the recording that an entry is a piece of.

    Raises
    ------
    ManifestError
        If the entry has features in place of audio, or its sample rate or length is not known.
    """
    rate, n_samples = entry.sample_rate, entry.extra.get("num_samples")
    if n_samples is None and not entry.offset and entry.duration is not None and rate is not None:
        n_samples = round(entry.duration * rate)
    if entry.audio_filepath is None or rate is None or not isinstance(n_samples, int):
        lacking = (
            "features in place of audio"
            if entry.audio_filepath is None
            else "no sample_rate"
            if rate is None
            else "no duration of the whole recording"
        )
        raise ManifestError(
            f"{entry.source or entry.id}: {entry.path} has {lacking}",
            needed="audio of a known sample rate and length: Lhotse states them",
            remedy="audiogmm manifest convert, which measures them",
        )
    channels = entry.extra.get("channels")
    numbers = list(
        range(
            max(channels if isinstance(channels, int) else 1, max(channels_of(entry.channel), default=0) + 1)
        )
    )
    return {
        "id": recording_id(entry),
        "sources": [
            {
                "type": "url" if is_url(entry.audio_filepath) else "file",
                "channels": numbers,
                "source": entry.audio_filepath,
            }
        ],
        "sampling_rate": rate,
        "num_samples": n_samples,
        "duration": n_samples / rate,
        "channel_ids": numbers,
    }
