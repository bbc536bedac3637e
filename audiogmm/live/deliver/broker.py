"""Where an MQTT broker is (`--mqtt`), and what its topics are, those of Home Assistant among them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from audiogmm.errors import ChoiceError
from audiogmm.types import Json
from audiogmm.version import __version__

DISCOVERY = "homeassistant"
"""Where Home Assistant looks for devices."""

NEEDED = "mqtts://[USER@]HOST[:PORT][/PREFIX], or mqtt://..."


@dataclass(frozen=True)
class Broker:
    """An MQTT broker, and the beginning of our topics there.

    Attributes
    ----------
    host : str
    port : int
    is_secure : bool
        Whether it is reached by TLS.
    user : str or None
    prefix : str
        Topics are `prefix`/events and so on.
    """

    host: str
    port: int
    is_secure: bool
    user: str | None
    prefix: str = "audiogmm"

    @classmethod
    def parse(cls, url: str) -> Broker:
        """Read a URL.

        Raises
        ------
        ChoiceError
            If it is none of MQTT, has a password, or its prefix is no topic.

        Examples
        --------
        >>> Broker.parse("mqtts://ha@hub.local/plant/pump1")
        Broker(host='hub.local', port=8883, is_secure=True, user='ha', prefix='plant/pump1')
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise ChoiceError("--mqtt with a port that is none", needed=NEEDED) from None
        if parts.password is not None:
            raise ChoiceError(
                f"--mqtt with a password in it, for {parts.hostname}",
                needed="a URL without one: everybody on this machine can read a command line",
                remedy="--mqtt-password FILE, or export AUDIOGMM_MQTT_PASSWORD=...",
            )
        is_secure = parts.scheme == "mqtts"
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.query or parts.fragment:
            raise ChoiceError(f"--mqtt {url!r}", needed=NEEDED)
        prefix = unquote(parts.path).strip("/") or "audiogmm"
        if not prefix.isprintable() or re.search(r"[+#$]|//", prefix) or len(prefix) > 200:
            raise ChoiceError(f"--mqtt with the prefix {prefix!r}", needed="a topic without +, # and $")
        user = None if parts.username is None else unquote(parts.username)
        return cls(parts.hostname, port or (8883 if is_secure else 1883), is_secure, user, prefix)

    @property
    def availability(self) -> str:
        """The topic that says ``online`` or ``offline``."""
        return f"{self.prefix}/availability"

    @property
    def events(self) -> str:
        """The topic of the rows."""
        return f"{self.prefix}/events"

    def discovery(self) -> dict[str, Json]:
        """Return what Home Assistant has to know, by topics: an anomaly, its severity, kind and time.

        Examples
        --------
        >>> list(Broker.parse("mqtt://hub").discovery())[0]
        'homeassistant/binary_sensor/audiogmm/anomaly/config'
        """
        node = re.sub(r"[^a-zA-Z0-9_-]", "_", self.prefix)
        shared = {
            "availability_topic": self.availability,
            "device": {
                "identifiers": [node],
                "name": self.prefix,
                "manufacturer": "audiogmm",
                "sw_version": __version__,
            },
            "origin": {"name": "audiogmm", "sw_version": __version__},
        }
        state = f"{self.prefix}/state"
        sensors: dict[str, Json] = {
            "severity": {"name": "Severity", "state_class": "measurement"},
            "kind": {"name": "Kind"},
            "last_event": {"name": "Last event", "device_class": "timestamp"},
        }
        found: dict[str, Json] = {
            f"{DISCOVERY}/binary_sensor/{node}/anomaly/config": {
                "name": "Anomaly",
                "device_class": "problem",
                "state_topic": f"{self.prefix}/anomaly",
                "unique_id": f"{node}_anomaly",
                **shared,
            }
        }
        for name, about in sensors.items():
            found[f"{DISCOVERY}/sensor/{node}/{name}/config"] = {
                **about,
                "state_topic": state,
                "value_template": f"{{{{ value_json.{name} }}}}",
                "json_attributes_topic": state,
                "unique_id": f"{node}_{name}",
                **shared,
            }
        return found
