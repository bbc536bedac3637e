"""A corpus that it synthesises, with known truth: machines, rooms, foreign sounds, and speakers."""

from __future__ import annotations

from audiogmm.synth.corpus import SynthRecording, scenes, speakers, write_corpus

__all__ = ["SynthRecording", "scenes", "speakers", "write_corpus"]
