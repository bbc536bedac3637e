"""A synthetic corpus with known truth: machines, rooms, foreign sounds, and speakers.

The same seed gives the same samples. Normal recordings are never twice the same; where a foreign sound was
added is known to the sample, and its loudness does not give it away. Nothing here knows features or models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.synth.corpus import SynthRecording as SynthRecording
    from audiogmm.synth.corpus import make_scenes as make_scenes
    from audiogmm.synth.corpus import make_speakers as make_speakers
    from audiogmm.synth.corpus import write_corpus as write_corpus

__getattr__, __dir__ = exports(__name__)
