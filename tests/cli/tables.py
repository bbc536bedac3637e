"""Manifests of feature files."""

from __future__ import annotations

import json


def manifest_row(name: str) -> str:
    """Return the line of a manifest for a feature file."""
    return json.dumps({"features_filepath": f"{name}.npy", "id": name}) + "\n"
