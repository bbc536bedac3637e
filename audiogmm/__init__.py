"""Gaussian mixture models of speech and audio: streaming features, exact EM, scores, anomalous segments."""

from __future__ import annotations

__version__ = "0.1.0"
