"""Sound as it arrives: standard input, pipes, files and microphones, and lines that leave as it is heard."""

from __future__ import annotations
