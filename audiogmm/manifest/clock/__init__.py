"""When recordings began: by the names of their files, by what recorders write into them; and how they follow.

A `time` of the manifest goes before what is found elsewhere. What is found is a time or nothing: a name whose
digits are no date is no error. Entries with a time are pieces of streams (`streams`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.manifest.clock.names import find_time_in_name as find_time_in_name
    from audiogmm.manifest.clock.pattern import TimePattern as TimePattern
    from audiogmm.manifest.clock.starts import StartFinder as StartFinder
    from audiogmm.manifest.clock.timetable import Timetable as Timetable

__getattr__, __dir__ = exports(__name__)
