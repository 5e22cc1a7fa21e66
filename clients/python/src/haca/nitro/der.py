"""A strict reader of DER (X.690): reads what ``contracts/attestation/x509/Der.sol`` reads, and refuses what that refuses."""

from __future__ import annotations

from ..errors import EvidenceError
from .cursor import Cursor

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OBJECT_IDENTIFIER = 0x01, 0x02, 0x03, 0x04, 0x06
UTC_TIME, GENERALIZED_TIME, SEQUENCE = 0x17, 0x18, 0x30


def truncated(offset: int) -> EvidenceError:
    return EvidenceError("Der_Truncated", offset, "reaches behind the end")


def enter(cursor: Cursor, tag: int) -> Cursor:
    """A reader over the content of the next element, which moves behind it."""
    offset, remaining, actual = cursor.position, cursor.remaining, cursor.next
    if remaining < 2:
        raise truncated(offset)
    if actual != tag:
        reason = f"expected an element of tag {tag}, found {actual}"
        raise EvidenceError("Der_UnexpectedTag", offset, reason)
    cursor.take(1)
    length = cursor.peek_number(1)
    cursor.take(1)
    if length >= 0x80:
        size = length - 0x80
        if size == 0 or size > 2:
            raise EvidenceError("Der_LengthInvalid", offset, "unsupported length")
        if remaining < 2 + size:
            raise truncated(offset)
        length = cursor.peek_number(size)
        cursor.take(size)
        if length < (0x80 if size == 1 else 0x100):
            reason = "a length that is not in shortest form"
            raise EvidenceError("Der_LengthInvalid", offset, reason)
    if length > cursor.remaining:
        raise truncated(offset)
    start = cursor.position
    cursor.take(length)
    return Cursor(cursor.data, start, cursor.position)


def read_content(cursor: Cursor, tag: int) -> bytes:
    """Content of the next element."""
    return enter(cursor, tag).rest()


def read_whole(cursor: Cursor, tag: int) -> bytes:
    """The next element with its header."""
    start = cursor.position
    enter(cursor, tag)
    return cursor.data[start : cursor.position]


def read_magnitude(cursor: Cursor, maximum_bytes: int) -> bytes:
    """Magnitude of an integer that is not negative: its bytes without the sign byte; none for zero."""
    offset = cursor.position
    content = enter(cursor, INTEGER)
    first = content.next
    if first is None or first >= 0x80:
        raise EvidenceError("Der_IntegerInvalid", offset, "an integer that is empty or negative")
    if first == 0:
        if content.remaining > 1 and content.peek_number(2) < 0x80:
            reason = "an integer that is not in shortest form"
            raise EvidenceError("Der_IntegerInvalid", offset, reason)
        content.take(1)
    if content.remaining > maximum_bytes:
        reason = f"an integer of more than {maximum_bytes} bytes"
        raise EvidenceError("Der_IntegerTooLong", offset, reason)
    return content.rest()


def require_end(cursor: Cursor) -> None:
    if cursor.remaining != 0:
        reason = f"{cursor.remaining} bytes too many"
        raise EvidenceError("Der_TrailingBytes", cursor.position, reason)
