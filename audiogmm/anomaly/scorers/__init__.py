"""Scores beside the plain log-likelihood: one file a score, a table by name, and their label-free fusion."""

from __future__ import annotations
