"""Certificates as ``contracts/attestation/x509/X509.sol`` reads them, with the same errors."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass

from ..errors import EvidenceError
from . import der
from .cursor import Cursor

NO_PATH_LENGTH = 255
# Bits of keyUsage, counted from the left of its byte.
DIGITAL_SIGNATURE = 0x80
CERTIFICATE_SIGN = 0x04

_VERSION_3 = bytes.fromhex("a003020102")
_ECDSA_SHA384 = bytes.fromhex("300a06082a8648ce3d040303")
_P384_KEY_PREFIX = bytes.fromhex("3076301006072a8648ce3d020106052b8104002203620004")
_POINT_LENGTH = 96
_SCALAR_LENGTH = 48
_MAXIMUM_SERIAL_BYTES = 20
_EXTENSIONS = 0xA3
_BASIC_CONSTRAINTS = bytes.fromhex("551d13")
_KEY_USAGE = bytes.fromhex("551d0f")
_UTC_TIME = re.compile(rb"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z")
_GENERALIZED_TIME = re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z")


@dataclass(frozen=True)
class Certificate:
    """Names are DER."""

    tbs: bytes
    issuer: bytes
    subject: bytes
    not_before: int
    not_after: int
    public_key: bytes
    """x | y of the P-384 key"""
    is_authority: bool
    path_length: int
    """how many authorities may follow below this one; ``NO_PATH_LENGTH`` if unlimited"""
    key_usage: int
    signature: bytes
    """SEQUENCE { r, s } in DER"""


def parse_certificate(data: bytes) -> Certificate:
    """Reads a certificate. Signature, validity and issuer are for ``verify_chain`` to judge."""
    cursor = Cursor(data)
    outer = der.enter(cursor, der.SEQUENCE)
    der.require_end(cursor)
    start = outer.position
    tbs = der.enter(outer, der.SEQUENCE)
    signed = data[start : outer.position]
    _expect(tbs, _VERSION_3, "another version than 3")
    der.read_magnitude(tbs, _MAXIMUM_SERIAL_BYTES)
    _expect(tbs, _ECDSA_SHA384, "another signature algorithm than ecdsa-with-SHA384")
    issuer = der.read_whole(tbs, der.SEQUENCE)
    validity = der.enter(tbs, der.SEQUENCE)
    not_before, not_after = _read_time(validity), _read_time(validity)
    der.require_end(validity)
    subject = der.read_whole(tbs, der.SEQUENCE)
    _expect(tbs, _P384_KEY_PREFIX, "the key is not an uncompressed P-384 point")
    if tbs.remaining < _POINT_LENGTH:
        raise der.truncated(tbs.position)
    public_key = tbs.take(_POINT_LENGTH)
    is_authority, path_length, key_usage = _read_extensions(tbs)
    der.require_end(tbs)
    _expect(outer, _ECDSA_SHA384, "another signature algorithm than ecdsa-with-SHA384")
    signature = _read_bit_string(outer)
    der.require_end(outer)
    return Certificate(
        tbs=signed,
        issuer=issuer,
        subject=subject,
        not_before=not_before,
        not_after=not_after,
        public_key=public_key,
        is_authority=is_authority,
        path_length=path_length,
        key_usage=key_usage,
        signature=signature,
    )


def to_raw_signature(data: bytes) -> bytes:
    """r | s of a signature ``SEQUENCE { INTEGER r, INTEGER s }``, 48 bytes each."""
    outer = Cursor(data)
    content = der.enter(outer, der.SEQUENCE)
    der.require_end(outer)
    raw = b"".join(
        der.read_magnitude(content, _SCALAR_LENGTH).rjust(_SCALAR_LENGTH, b"\0") for _ in range(2)
    )
    der.require_end(content)
    return raw


def _read_extensions(tbs: Cursor) -> tuple[bool, int, int]:
    wrapper = der.enter(tbs, _EXTENSIONS)
    extensions = der.enter(wrapper, der.SEQUENCE)
    der.require_end(wrapper)
    constraints: tuple[bool, int] | None = None
    key_usage: int | None = None
    while extensions.remaining > 0:
        offset = extensions.position
        extension = der.enter(extensions, der.SEQUENCE)
        name = der.read_content(extension, der.OBJECT_IDENTIFIER)
        is_critical = _read_optional_true(extension)
        value = der.enter(extension, der.OCTET_STRING)
        der.require_end(extension)
        if name == _BASIC_CONSTRAINTS:
            if constraints is not None:
                raise _refused(offset, "basicConstraints come twice")
            constraints = _read_constraints(value)
        elif name == _KEY_USAGE:
            if key_usage is not None:
                raise _refused(offset, "keyUsage comes twice")
            key_usage = _read_key_usage(value)
        elif is_critical:
            raise _refused(offset, "an unknown critical extension")
    if constraints is None or key_usage is None:
        reason = "basicConstraints or keyUsage is missing"
        raise EvidenceError("X509_ExtensionMissing", tbs.position, reason)
    return *constraints, key_usage


def _read_constraints(value: Cursor) -> tuple[bool, int]:
    content = der.enter(value, der.SEQUENCE)
    der.require_end(value)
    is_authority = _read_optional_true(content)
    path_length = NO_PATH_LENGTH
    if is_authority and content.remaining > 0:
        path_length = int.from_bytes(der.read_magnitude(content, 1), "big")
    der.require_end(content)
    return is_authority, path_length


def _read_key_usage(value: Cursor) -> int:
    """First byte of the bits. A second one, for decipherOnly, is not in the subset."""
    offset = value.position
    bits = der.read_content(value, der.BIT_STRING)
    der.require_end(value)
    if len(bits) == 2 and bits[0] <= 7:
        unused, usage = bits
        # DER: unused bits are zero and the last used one is set.
        if usage & ((2 << unused) - 1) == 1 << unused:
            return usage
    raise _invalid(offset, "keyUsage is not one byte of bits in DER")


def _read_optional_true(cursor: Cursor) -> bool:
    """A BOOLEAN with default false: either absent or true."""
    if cursor.next != der.BOOLEAN:
        return False
    offset = cursor.position
    if der.read_content(cursor, der.BOOLEAN) != b"\xff":
        raise _invalid(offset, "a boolean that DER does not write so")
    return True


def _read_bit_string(cursor: Cursor) -> bytes:
    """A BIT STRING of whole bytes."""
    offset = cursor.position
    content = der.enter(cursor, der.BIT_STRING)
    if content.next != 0:
        raise _invalid(offset, "a signature that is not of whole bytes")
    content.take(1)
    return content.rest()


def _read_time(validity: Cursor) -> int:
    """Unix seconds: YYMMDDHHMMSSZ until 2049, YYYYMMDDHHMMSSZ from 2050 (RFC 5280), not before 1970."""
    offset = validity.position
    is_utc = validity.next == der.UTC_TIME
    content = der.read_content(validity, der.UTC_TIME if is_utc else der.GENERALIZED_TIME)
    found = (_UTC_TIME if is_utc else _GENERALIZED_TIME).fullmatch(content)
    if found is not None:
        digits, month, day, hour, minute, second = map(int, found.groups())
        year = digits + (2000 if digits < 50 else 1900) if is_utc else digits
        is_time = hour < 24 and minute < 60 and second < 60
        is_year = year >= (1970 if is_utc else 2050)
        if is_year and is_time and 1 <= month <= 12:
            if 1 <= day <= calendar.monthrange(year, month)[1]:
                return calendar.timegm((year, month, day, hour, minute, second))
    raise EvidenceError("X509_TimeInvalid", offset, "not a time of RFC 5280 from 1970 on")


def _expect(cursor: Cursor, expected: bytes, reason: str) -> None:
    """Exactly these bytes come next."""
    offset = cursor.position
    if cursor.remaining < len(expected):
        raise der.truncated(offset)
    if cursor.take(len(expected)) != expected:
        raise _invalid(offset, reason)


def _invalid(offset: int, reason: str) -> EvidenceError:
    return EvidenceError("X509_FieldInvalid", offset, reason)


def _refused(offset: int, reason: str) -> EvidenceError:
    return EvidenceError("X509_ExtensionRefused", offset, reason)
