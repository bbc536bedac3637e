"""Events on their way out of the process: to a command, an MQTT broker, a web server, a folder of clips.

A `Receiver` takes a row or says why not; a `Delivery` hands it the rows of an `EventSpool` in their order, in
threads of its own, so that a slow one never delays the sound. A row is written to the spool before it is
sent, and marked there once the receiver has it: what a dead receiver, a restart or SIGKILL interrupts is sent
later. So each row arrives at least once, always with the same `event_id`, by which a receiver knows it again.
`Deliveries` are all those of a run; an `EventSender` takes the lines and the sound of one input.

To add a way out: write its receiver in a file of its own, its option in `settings.py` and
`cli/deliver_options.py`, and open it in `deliveries.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiogmm.lazy import exports

if TYPE_CHECKING:
    from audiogmm.live.deliver.clips import ClipFolder as ClipFolder
    from audiogmm.live.deliver.deliveries import Deliveries as Deliveries
    from audiogmm.live.deliver.delivery import Delivery as Delivery
    from audiogmm.live.deliver.found import FoundSender as FoundSender
    from audiogmm.live.deliver.receiver import Receiver as Receiver
    from audiogmm.live.deliver.sender import EventSender as EventSender
    from audiogmm.live.deliver.settings import DeliverySettings as DeliverySettings
    from audiogmm.live.deliver.spool import EventSpool as EventSpool

__getattr__, __dir__ = exports(__name__)
