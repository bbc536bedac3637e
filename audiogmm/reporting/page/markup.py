"""Safe markup: text that is not `Markup` is escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from audiogmm.escapes import escaped, printable

_VOID = frozenset({"br", "img", "input", "link", "meta"})
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff￾￿]")


class Markup(str):
    """HTML, which `escape` leaves as it is."""

    __slots__ = ()


def escape(text: object) -> Markup:
    r"""Escape text for content and for quoted attributes.

    Control characters, which HTML cannot hold, become U+FFFD; bytes of a name that are not UTF-8, and
    characters that turn the direction of the text behind them round, an escape.

    Examples
    --------
    >>> escape('<script>alert("1")</script>')
    '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;'
    >>> escape(escape("a < b")), escape(1.5)
    ('a &lt; b', '1.5')
    >>> escape("a\u202egpj.exe")
    'a\\u202egpj.exe'
    """
    if isinstance(text, Markup):
        return text
    return Markup(html.escape(printable(_UNFIT.sub("\ufffd", escaped(str(text)))), quote=True))


def tag(name: str, /, *content: object, **attributes: object) -> Markup:
    """Make an element.

    Parameters
    ----------
    name : str
        Name of the element.
    *content
        Its children; None is left out, text that is not `Markup` is escaped.
    **attributes
        ``class_`` is class, ``aria_label`` is aria-label; True gives an attribute without a value, None and
        False give none.

    Examples
    --------
    >>> tag("p", "a & b", tag("br"), class_="note", hidden=True, id=None)
    '<p class="note" hidden>a &amp; b<br></p>'
    """
    parts = [f"<{name}"]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        spelled = key.rstrip("_").replace("_", "-")
        parts.append(f" {spelled}" if value is True else f' {spelled}="{escape(value)}"')
    parts.append(">")
    if name not in _VOID:
        parts += [escape(child) for child in content if child is not None]
        parts.append(f"</{name}>")
    return Markup("".join(parts))


def joined(parts: Iterable[object]) -> Markup:
    """Join markup.

    Examples
    --------
    >>> joined([tag("b", "1"), "<"])
    '<b>1</b>&lt;'
    """
    return Markup("".join(escape(part) for part in parts))
