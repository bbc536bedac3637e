"""The items of one long list, in JSON or YAML: read one after another, each of a bounded size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO

from audiogmm.lines import LONGEST_LINE

LARGEST_ITEM = 1 << 18
"""Values in an item of YAML, those that aliases repeat counted each time."""

_PIECE = 1 << 16
_BEHIND = frozenset(", ]\t\r\n")


def json_items(text: TextIO) -> Iterator[Any]:
    """Yield the items of an array; of any other value, the value.

    Raises
    ------
    ValueError
        If it is not JSON, or an item has more than `LONGEST_LINE` characters.

    Examples
    --------
    >>> import io
    >>> list(json_items(io.StringIO('[{"id": "a"}, [1, 2], 3]')))
    [{'id': 'a'}, [1, 2], 3]
    """
    pending = _Pending(text)
    if pending.peek() != "[":
        yield pending.value()
    else:
        mark = pending.drop()
        if pending.peek() == "]":
            mark = pending.drop()
        while mark != "]":
            yield pending.value()
            if pending.peek() not in ("]", ","):
                raise ValueError(f"{pending.peek() or 'the end'!r} in place of a comma or a ]")
            mark = pending.drop()
    if pending.peek():
        raise ValueError(f"{pending.peek()!r} behind the end")


class _Pending:
    """Text that is read as far as the next value needs it."""

    def __init__(self, text: TextIO) -> None:
        self._text, self._read, self._at = text, "", 0
        self._decoder = json.JSONDecoder()

    def peek(self) -> str:
        """Return the next character that is not blank, or nothing at the end."""
        while True:
            while self._at < len(self._read):
                if self._read[self._at] not in " \t\r\n":
                    return self._read[self._at]
                self._at += 1
            if not self._more(_PIECE):
                return ""

    def drop(self) -> str:
        """Pass over the next character, and return it."""
        mark = self.peek()
        self._at += 1
        return mark

    def value(self) -> Any:
        """Return the next value."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._read, self._at)
                length = end - self._at
                # what looks like a number may be the beginning of one
                if self._read[end : end + 1] in _BEHIND or not self._more(_PIECE):
                    self._at += length
                    return value
            except json.JSONDecodeError:
                # twice as much each time, or a long value would be read again for every piece
                if not self._more(max(_PIECE, len(self._read) - self._at)):
                    raise

    def _more(self, size: int) -> bool:
        if len(self._read) - self._at > LONGEST_LINE:
            raise ValueError(f"a value of more than {LONGEST_LINE >> 20} MiB")
        piece = self._text.read(size)
        self._read, self._at = self._read[self._at :] + piece, 0
        return bool(piece)


def yaml_items(text: TextIO) -> Iterator[Any]:
    """Yield the items of a list in YAML; of any other document, the document.

    Tags that would make objects of Python are refused, and so are aliases that make an item large or endless.

    Raises
    ------
    ImportError
        If PyYAML is not installed.
    ValueError, yaml.YAMLError
        If it is not YAML, or an item holds more than `LARGEST_ITEM` values.

    Examples
    --------
    >>> import io
    >>> list(yaml_items(io.StringIO("- {id: a, channels: &c [0, 1]}\\n- {id: b, channels: *c}\\n")))
    [{'id': 'a', 'channels': [0, 1]}, {'id': 'b', 'channels': [0, 1]}]
    >>> list(yaml_items(io.StringIO("- &a [*a]")))
    Traceback (most recent call last):
    ...
    ValueError: an alias to what it stands in
    """
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Counts the values of an item, also those that an alias repeats."""

        count = 0
        sizes: dict[str, int] = {}  # noqa: RUF012 - of one file

        def compose_node(self, parent: Any, index: Any) -> Any:
            event, before = self.peek_event(), self.count
            is_alias = isinstance(event, yaml.AliasEvent)
            if is_alias and event.anchor in self.anchors and event.anchor not in self.sizes:
                raise ValueError("an alias to what it stands in")
            self.count += self.sizes.get(event.anchor, 1) if is_alias else 1
            if self.count > LARGEST_ITEM:
                raise ValueError(f"an item of more than {LARGEST_ITEM} values")
            node = super().compose_node(parent, index)
            if event.anchor and not is_alias:
                self.sizes[event.anchor] = self.count - before
            return node

    loader = Loader(text)
    try:
        loader.get_event()  # of the stream
        if loader.check_event(yaml.StreamEndEvent):
            return
        loader.get_event()  # of the document
        is_list = loader.check_event(yaml.SequenceStartEvent)
        if is_list:
            loader.get_event()
        while not loader.check_event(yaml.SequenceEndEvent, yaml.DocumentEndEvent):
            loader.count = 0
            yield loader.construct_document(loader.compose_node(None, None))
        if is_list:
            loader.get_event()
        loader.get_event()  # the document's end
        if not loader.check_event(yaml.StreamEndEvent):
            raise ValueError("several documents in one file")
    finally:
        loader.dispose()
