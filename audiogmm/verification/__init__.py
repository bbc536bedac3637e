"""Speakers: how sure a score is, and how well a system tells speakers apart."""
