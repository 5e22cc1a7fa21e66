"""A strict reader of CBOR (RFC 8949): reads what ``contracts/attestation/cbor/Cbor.sol`` reads, and refuses what that refuses."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import EvidenceError
from .cursor import Cursor

_UNSIGNED, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = 0, 2, 3, 4, 5, 6, 7
_NAMES = ("a number", "a negative number", "bytes", "text", "a list", "a map", "a tag")
_MAXIMUM_DEPTH = 8
"""How deep an unknown value may nest."""
_BREAK = 0xFF
_NULL = 0xF6
_INDEFINITE_MAP = 0xBF
_FIRST_LONG_SIMPLE = 32
"""Simple values below it have to be in the header itself."""


def read_unsigned(cursor: Cursor) -> int:
    return _read_expected(cursor, _UNSIGNED)


def read_bytes(cursor: Cursor) -> bytes:
    """A byte string of definite length."""
    return _take_string(cursor, _read_expected(cursor, _BYTES))


def read_text(cursor: Cursor) -> bytes:
    """A text string of definite length, as bytes: whether it is UTF-8 is not looked at."""
    return _take_string(cursor, _read_expected(cursor, _TEXT))


def read_bytes_or_null(cursor: Cursor) -> bytes | None:
    if cursor.next != _NULL:
        return read_bytes(cursor)
    cursor.take(1)
    return None


def read_array(cursor: Cursor) -> int:
    """Header of an array of definite length; the number of its items, which nothing was compared with."""
    return _read_expected(cursor, _ARRAY)


def read_map(cursor: Cursor, read_entry: Callable[[], None]) -> None:
    """Reads a map's entries, one call for each; of definite or indefinite length."""
    if cursor.next == _INDEFINITE_MAP:
        cursor.take(1)
        while _has_entry(cursor):
            read_entry()
        return
    for _ in range(_read_expected(cursor, _MAP)):
        read_entry()


def skip(cursor: Cursor, depth: int = _MAXIMUM_DEPTH) -> None:
    """Passes over one item of any type."""
    if depth == 0:
        raise EvidenceError("Cbor_NestingTooDeep", cursor.position, "nested too deeply")
    if cursor.next == _INDEFINITE_MAP:
        cursor.take(1)
        while _has_entry(cursor):
            _skip_items(cursor, 2, depth)
        return
    major_type, argument = _read_header(cursor)
    if major_type in (_BYTES, _TEXT):
        _take_string(cursor, argument)
    elif major_type == _TAG:
        _skip_items(cursor, 1, depth)
    elif major_type == _ARRAY:
        _skip_items(cursor, argument, depth)
    elif major_type == _MAP:
        _skip_items(cursor, 2 * argument, depth)


def require_end(cursor: Cursor) -> None:
    if cursor.remaining != 0:
        reason = f"{cursor.remaining} bytes too many"
        raise EvidenceError("Cbor_TrailingBytes", cursor.position, reason)


def _skip_items(cursor: Cursor, count: int, depth: int) -> None:
    for _ in range(count):
        skip(cursor, depth - 1)


def _has_entry(cursor: Cursor) -> bool:
    if cursor.remaining == 0:
        raise _truncated(cursor.position)
    if cursor.next != _BREAK:
        return True
    cursor.take(1)
    return False


def _take_string(cursor: Cursor, length: int) -> bytes:
    if length > cursor.remaining:
        raise _truncated(cursor.position)
    return cursor.take(length)


def _read_expected(cursor: Cursor, expected: int) -> int:
    offset = cursor.position
    major_type, argument = _read_header(cursor)
    if major_type == expected:
        return argument
    reason = f"expected {_name_of(expected)}, found {_name_of(major_type)}"
    raise EvidenceError("Cbor_UnexpectedType", offset, reason)


def _read_header(cursor: Cursor) -> tuple[int, int]:
    offset, head = cursor.position, cursor.next
    if head is None:
        raise _truncated(offset)
    major_type, information = head >> 5, head & 0x1F
    if information < 24:
        cursor.take(1)
        return major_type, information
    if information > 27:
        reason = "a reserved header, or an indefinite length where none is allowed"
        raise EvidenceError("Cbor_UnsupportedHeader", offset, reason)
    size: int = 1 << (information - 24)
    if cursor.remaining <= size:
        raise _truncated(offset)
    argument = int.from_bytes(cursor.data[offset + 1 : offset + 1 + size], "big")
    if argument < _least_argument(major_type, size):
        raise EvidenceError("Cbor_NotShortestForm", offset, "not in shortest form")
    cursor.take(1 + size)
    return major_type, argument


def _least_argument(major_type: int, size: int) -> int:
    """Least argument that needs ``size`` bytes. Two, four or eight bytes of a simple value are a float, of any bits."""
    if major_type == _SIMPLE:
        return _FIRST_LONG_SIMPLE if size == 1 else 0
    return 24 if size == 1 else 1 << (4 * size)


def _name_of(major_type: int) -> str:
    return _NAMES[major_type] if major_type < len(_NAMES) else "a simple value"


def _truncated(offset: int) -> EvidenceError:
    return EvidenceError("Cbor_Truncated", offset, "reaches behind the end")
