"""A page of a run: one HTML file to look at and to listen to, that needs no network."""

from __future__ import annotations
