"""RLP in the one form that it has."""

from __future__ import annotations

from dataclasses import dataclass

_MAXIMUM_DEPTH = 4
_SHORT = 55
_LIST = 0xC0
_BYTES = 0x80
_LENGTH_DIGITS = 3


@dataclass(frozen=True)
class RlpList:
    """A list with the bytes that it takes up, its head included."""

    items: tuple[Rlp, ...]
    size: int


Rlp = bytes | RlpList


def decode_rlp(data: bytes) -> Rlp:
    """The one value that all of the bytes are. Raises ``ValueError`` for what is not written in the one way that it can be."""
    value, end = _decode_at(data, 0, 0)
    if end != len(data):
        raise ValueError("RLP: bytes behind the value")
    return value


def number_of(value: Rlp) -> int:
    """Bytes as a number below 2^256, without leading zeros."""
    if not isinstance(value, bytes) or len(value) > 32 or value[:1] == b"\0":
        raise ValueError("RLP: no number where one belongs")
    return int.from_bytes(value, "big")


def fixed(value: Rlp, length: int) -> bytes:
    """Bytes of a length."""
    if isinstance(value, bytes) and len(value) == length:
        return value
    raise ValueError(f"RLP: not {length} bytes where they belong")


def _decode_at(data: bytes, start: int, depth: int) -> tuple[Rlp, int]:
    if depth > _MAXIMUM_DEPTH:
        raise ValueError("RLP: lists too deep in each other")
    is_list, at, end = _head_at(data, start)
    if not is_list:
        value = data[at:end]
        if len(value) == 1 and value[0] < _BYTES and at != start:
            raise ValueError("RLP: a byte with a head that it does not need")
        return value, end
    items: list[Rlp] = []
    while at < end:
        item, at = _decode_at(data, at, depth + 1)
        items.append(item)
    if at != end:
        raise ValueError("RLP: an item that leads out of its list")
    return RlpList(tuple(items), end - start), end


def _head_at(data: bytes, start: int) -> tuple[bool, int, int]:
    """Whether it is a list, and where its payload is."""
    if start >= len(data):
        raise ValueError("RLP: ends too early")
    first = data[start]
    is_list = first >= _LIST
    if first < _BYTES:
        return is_list, start, start + 1
    length = first - (_LIST if is_list else _BYTES)
    digits = max(length - _SHORT, 0)
    if digits > 0:
        length = _length_at(data, start + 1, digits)
    at = start + 1 + digits
    if at + length > len(data):
        raise ValueError("RLP: ends too early")
    return is_list, at, at + length


def _length_at(data: bytes, start: int, digits: int) -> int:
    written = data[start : start + digits]
    if len(written) != digits or digits > _LENGTH_DIGITS:
        raise ValueError("RLP: a length that cannot be")
    length = int.from_bytes(written, "big")
    if written[0] == 0 or length <= _SHORT:
        raise ValueError("RLP: a length not in its short form")
    return length
