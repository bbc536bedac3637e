"""Where the events of a run go besides its output."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from audiogmm.errors import ChoiceError
from audiogmm.live.deliver.broker import Broker
from audiogmm.live.deliver.command import LIMIT, parse_command
from audiogmm.live.deliver.webhook import check_url
from audiogmm.types import Seconds

TYPES = ("closed", "confirmed", "open", "dropped")
"""Lines about events that can be delivered."""


@dataclass(frozen=True, kw_only=True)
class DeliverySettings:
    """Where the events of a run go besides its output, and how.

    Parameters
    ----------
    command : str or None
        A program and its arguments, run for each event.
    command_limit : Seconds
        How long it may run.
    commands_at_once : int
        How many of it run side by side.
    mqtt : str or None
        URL of a broker, see `Broker.parse`.
    mqtt_password : Path or None
        File with its password; by default the variable ``AUDIOGMM_MQTT_PASSWORD``.
    webhook : str or None
        URL that gets each event.
    webhook_secret : Path or None
        File with what signs the requests; by default the variable ``AUDIOGMM_WEBHOOK_SECRET``.
    ca : Path or None
        Certificates to trust, in place of those of the system.
    types : str
        Which of `TYPES` are delivered, separated by commas.
    spool : Path
        Folder for what waits.
    clips : Path or None
        Folder for the sound of events.
    clips_size : float
        Its size at most, megabytes.
    pre_roll : Seconds
        Sound before the event in its clip.

    Raises
    ------
    ChoiceError
        If one cannot be used.

    Examples
    --------
    >>> DeliverySettings(command="true", types="closed,opened")
    Traceback (most recent call last):
    ...
    audiogmm.errors.ChoiceError: --deliver 'closed,opened'; needed: some of closed, confirmed, open, dropped
    """

    command: str | None = None
    command_limit: Seconds = LIMIT
    commands_at_once: int = 1
    mqtt: str | None = None
    mqtt_password: Path | None = None
    webhook: str | None = None
    webhook_secret: Path | None = None
    ca: Path | None = None
    types: str = "closed"
    spool: Path = Path("audiogmm-spool")
    clips: Path | None = None
    clips_size: float = 1000.0
    pre_roll: Seconds = 2.0

    def __post_init__(self) -> None:
        if not self.kinds or set(self.kinds) - set(TYPES):
            raise ChoiceError(f"--deliver {self.types!r}", needed=f"some of {', '.join(TYPES)}")
        if self.command is not None:
            parse_command(self.command)
        if self.mqtt is not None:
            Broker.parse(self.mqtt)
        if self.webhook is not None:
            check_url(self.webhook)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The types of lines that are delivered."""
        return tuple(name.strip() for name in self.types.split(",") if name.strip())

    @property
    def is_wanted(self) -> bool:
        """Whether events go anywhere."""
        return any(way is not None for way in (self.command, self.mqtt, self.webhook, self.clips))

    def context(self) -> ssl.SSLContext | None:
        """Return whom TLS trusts; None: those whom the system trusts.

        Raises
        ------
        ChoiceError
            If the file has no certificates.
        """
        if self.ca is None:
            return None
        try:
            return ssl.create_default_context(cafile=str(self.ca))
        except (OSError, ssl.SSLError) as error:
            raise ChoiceError(f"--ca {self.ca}: {error}", needed="a file of certificates, PEM") from None
