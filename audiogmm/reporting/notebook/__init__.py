"""What a notebook shows of tracks, events and models: pictures, players, tables, each in one piece of HTML.

Nothing here changes what it shows, needs the network, or fails because a recording is gone: then there is no
spectrogram and no player. The classes name these functions as methods, see `audiogmm.methods`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.reporting.notebook.html import to_html as to_html

__getattr__, __dir__ = exports(__name__)
