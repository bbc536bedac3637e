"""Kinds of sound: which events, or recordings, are alike, without a number of kinds given.

A segment becomes one vector of statistics that its level and length do not change. Vectors are compared in
coordinates where what differs between pieces of one segment counts little, a graph joins each to those most
like it, and its communities are the groups. A group keeps its name when more segments come, and the posterior
of a group or of "none of these" is that of a two-covariance model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.anomaly.kinds.communities import find_communities as find_communities
    from audiogmm.anomaly.kinds.description import Description as Description
    from audiogmm.anomaly.kinds.description import describe_segment as describe_segment
    from audiogmm.anomaly.kinds.kinds import Kinds as Kinds
    from audiogmm.anomaly.kinds.likeness import Likeness as Likeness
    from audiogmm.anomaly.kinds.recognizer import Recognition as Recognition
    from audiogmm.anomaly.kinds.recognizer import Recognizer as Recognizer

__getattr__, __dir__ = exports(__name__)
