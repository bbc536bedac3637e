"""Passwords and secrets: from a file or the environment; others can read a command line."""

from __future__ import annotations

import os
from pathlib import Path

from audiogmm.errors import ChoiceError

MQTT_PASSWORD = "AUDIOGMM_MQTT_PASSWORD"
WEBHOOK_SECRET = "AUDIOGMM_WEBHOOK_SECRET"
METRICS_TOKEN = "AUDIOGMM_METRICS_TOKEN"
SECRETS = (MQTT_PASSWORD, WEBHOOK_SECRET, METRICS_TOKEN)
"""Variables with secrets; no command that we start gets them."""

LONGEST = 4096
"""Bytes of a secret."""


def read_secret(file: Path | None, variable: str) -> str | None:
    """Return a secret: the first line of a file, else a variable; None where there is neither.

    Raises
    ------
    ChoiceError
        If the file cannot be read, is empty or too long.

    Examples
    --------
    >>> read_secret(None, "AUDIOGMM_NO_SUCH_VARIABLE") is None
    True
    """
    if file is None:
        return os.environ.get(variable) or None
    try:
        with file.open("rb") as opened:
            content = opened.read(LONGEST + 1)
        text = content.decode().partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise ChoiceError(f"{file} cannot be read: {error}", needed="a file with the secret") from None
    if not text or len(content) > LONGEST:
        raise ChoiceError(
            f"{file} is {'too long' if text else 'empty'}", needed="a file whose first line is the secret"
        )
    return text
