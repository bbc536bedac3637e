"""Anomalies: thresholds learnt from normal audio, events, and how good they are."""

from __future__ import annotations
