"""Readers of values of JSON at a path: each takes what it is for, or raises ``FormatError``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import FormatError

Reader = Callable[[object, str], Any]

_HEX = re.compile(r"0x(?:[0-9a-f]{2})*")
_DECIMAL = re.compile(r"0|[1-9][0-9]*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_MAXIMUM_INDEX = 2**32 - 2
_MAXIMUM_DIGITS = 78


def utf16_length(text: str) -> int:
    """The format counts texts in UTF-16 units."""
    return len(text) + sum(1 for character in text if ord(character) > 0xFFFF)


def quoted(text: str) -> str:
    """A name as JSON writes it, half a surrogate pair by its number."""
    written = json.dumps(text, ensure_ascii=False)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", written)


def in_order(fields: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Fields in the order of ECMAScript's objects, which is the one that is printed: numbers first."""
    numbers = [name for name in fields if _INDEX.fullmatch(name) and int(name) <= _MAXIMUM_INDEX]
    others = [name for name in fields if name not in numbers]
    return [(name, fields[name]) for name in [*sorted(numbers, key=int), *others]]


def hex_of(least: int, most: int | None = None) -> Reader:
    """Bytes as lower-case hex, of a length or of a range of lengths."""
    greatest = least if most is None else most

    def read(value: object, path: str) -> str:
        if not isinstance(value, str) or not _HEX.fullmatch(value):
            raise FormatError(path, "must be 0x and lower-case hex, two digits a byte")
        length = (len(value) - 2) // 2
        if least <= length <= greatest:
            return value
        expected = f"{least}" if least == greatest else f"{least} to {greatest}"
        raise FormatError(path, f"must be {expected} bytes, has {length}")

    return read


def decimal(bits: int) -> Reader:
    """A number of so many bits, in decimal digits without leading zeros."""

    def read(value: object, path: str) -> str:
        is_number = isinstance(value, str) and len(value) <= _MAXIMUM_DIGITS
        if not isinstance(value, str) or not is_number or not _DECIMAL.fullmatch(value):
            raise FormatError(path, "must be a text of decimal digits without leading zeros")
        if int(value) >> bits == 0:
            return value
        raise FormatError(path, f"must be below 2^{bits}")

    return read


def text(most: int) -> Reader:
    def read(value: object, path: str) -> str:
        if not isinstance(value, str):
            raise FormatError(path, "must be a text")
        if utf16_length(value) > most:
            raise FormatError(path, f"must have {most} characters at most")
        if _SURROGATE.search(value):
            raise FormatError(path, "has half of a surrogate pair")
        return value

    return read


def literal(expected: str) -> Reader:
    def read(value: object, path: str) -> str:
        if value == expected:
            return expected
        raise FormatError(path, f"must be {quoted(expected)}")

    return read


def nullable(reader: Reader) -> Reader:
    return lambda value, path: None if value is None else reader(value, path)


def list_of(reader: Reader, least: int, most: int) -> Reader:
    def read(value: object, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise FormatError(path, "must be a list")
        if not least <= len(value) <= most:
            expected = f"{least}" if least == most else f"{least} to {most}"
            raise FormatError(path, f"must have {expected} entries, has {len(value)}")
        return [reader(entry, f"{path}[{index}]") for index, entry in enumerate(value)]

    return read


def object_of(fields: Mapping[str, Reader], optional: Sequence[str] = ()) -> Reader:
    """An object with these fields, and no other; ``optional`` names those that may be missing."""

    def read(value: object, path: str) -> dict[str, Any]:
        entries = _entries(value, path)
        unknown = next((name for name, _ in in_order(entries) if name not in fields), None)
        if unknown is not None:
            raise FormatError(path, f"unknown field {quoted(unknown)}")
        for name in fields:
            if name not in entries and name not in optional:
                raise FormatError(path, f"the field {name} is missing")
        return {
            name: reader(entries[name], f"{path}.{name}")
            for name, reader in fields.items()
            if name in entries
        }

    return read


def named(reader: Reader, entries: int, name_length: int) -> Reader:
    """Values by names of a caller's choice."""
    read_name = text(name_length)

    def read(value: object, path: str) -> dict[str, Any]:
        found = _entries(value, path)
        if len(found) > entries:
            raise FormatError(path, f"must have {entries} entries at most")
        return {
            read_name(name, f"a name in {path}"): reader(entry, f"{path}[{quoted(name)}]")
            for name, entry in in_order(found)
        }

    return read


def one_of(kinds: Mapping[str, Reader]) -> Reader:
    """One of several kinds of object, told apart by the field ``type``."""

    def read(value: object, path: str) -> Any:
        kind = _entries(value, path).get("type")
        if isinstance(kind, str) and kind in kinds:
            return kinds[kind](value, path)
        raise FormatError(f"{path}.type", f"must be {' or '.join(kinds)}")

    return read


def _entries(value: object, path: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise FormatError(path, "must be an object")
