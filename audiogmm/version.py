"""The version of the package, for whatever records who wrote a file."""

from __future__ import annotations

__version__ = "0.1.0"
