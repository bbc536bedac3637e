"""Scores: how likely every frame is, and which component claims it."""

from __future__ import annotations
