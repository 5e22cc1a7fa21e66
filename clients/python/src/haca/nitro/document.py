"""The attestation document (COSE_Sign1 of RFC 9052), as ``contracts/attestation/nitro/NitroDocument.sol`` reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from ..errors import EvidenceError
from . import cbor
from .cursor import Cursor

_COSE_SIGN1_TAG = 0xD2
# Array of four, protected header { alg: ES384 }, empty unprotected header.
_HEADER = bytes.fromhex("8444a1013822a0")
# Sig_structure up to the payload.
_SIGNATURE_CONTEXT = b"\x84\x6aSignature1" + bytes.fromhex("44a101382240")
_DIGEST = b"SHA384"
_PCR_LENGTH = 48
_PCR_LIMIT = 32
MEASURED_PCRS = (0, 1, 2)
_SIGNATURE_LENGTH = 96
_MAXIMUM_FIELD_LENGTH = 1024
_MAXIMUM_CABUNDLE = 6
_MAXIMUM_UNKNOWN_KEYS = 8
_REQUIRED = ("module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle")


@dataclass
class Document:
    """Read but not verified."""

    timestamp: int = 0
    """unix milliseconds"""
    pcrs: dict[int, bytes] = field(default_factory=dict)
    certificate: bytes = b""
    """DER of the certificate whose key signed the document"""
    cabundle: list[bytes] = field(default_factory=list)
    """DER of the authorities' certificates, root first"""
    user_data: bytes | None = None
    signed_message: bytes = b""
    """what the signature covers, not hashed"""
    signature: bytes = b""
    """r | s"""


def parse_document(data: bytes) -> Document:
    """Reads a raw document; those of enclaves in debug mode, too. Raises ``EvidenceError``."""
    cursor = Cursor(data)
    if cursor.next == _COSE_SIGN1_TAG:
        cursor.take(1)
    if data[cursor.position : cursor.position + len(_HEADER)] != _HEADER:
        _fail("HeaderInvalid", cursor.position, "not a COSE_Sign1 with ES384 and nothing else")
    cursor.take(len(_HEADER))
    start = cursor.position
    payload = cbor.read_bytes(cursor)
    signed = data[start : cursor.position]
    signature = _read_field(cursor, "signature", _SIGNATURE_LENGTH, _SIGNATURE_LENGTH)
    cbor.require_end(cursor)
    document = _parse_payload(Cursor(payload))
    document.signed_message = _SIGNATURE_CONTEXT + signed
    document.signature = signature
    return document


def _parse_payload(cursor: Cursor) -> Document:
    document = Document()
    seen: set[str] = set()
    unknown_keys = 0

    def read_entry() -> None:
        nonlocal unknown_keys
        offset = cursor.position
        # As bytes: a decoder of UTF-8 would make different keys equal.
        key = cbor.read_text(cursor).decode("latin-1")
        if key in seen:
            _fail("KeyRepeated", offset, f"the key {key} comes twice")
        if not _read_known(cursor, key, document):
            if unknown_keys == _MAXIMUM_UNKNOWN_KEYS:
                reason = f"more than {_MAXIMUM_UNKNOWN_KEYS} unknown keys"
                _fail("TooManyUnknownKeys", offset, reason)
            unknown_keys += 1
            cbor.skip(cursor)
        seen.add(key)

    cbor.read_map(cursor, read_entry)
    cbor.require_end(cursor)
    missing = [key for key in _REQUIRED if key not in seen]
    if missing:
        _fail("KeyMissing", cursor.position, f"no {', '.join(missing)}")
    return document


def _read_known(cursor: Cursor, key: str, document: Document) -> bool:
    """Reads the value of a known key; False for an unknown one."""
    offset = cursor.position
    if key == "module_id":
        cbor.read_text(cursor)
    elif key == "digest":
        if cbor.read_text(cursor) != _DIGEST:
            _fail("DigestUnsupported", offset, f"the digest is not {_DIGEST.decode()}")
    elif key == "timestamp":
        document.timestamp = cbor.read_unsigned(cursor)
    elif key == "pcrs":
        document.pcrs = _read_pcrs(cursor)
    elif key == "certificate":
        document.certificate = _read_field(cursor, key, 1, _MAXIMUM_FIELD_LENGTH)
    elif key == "cabundle":
        document.cabundle = _read_cabundle(cursor)
    elif key in ("public_key", "nonce"):
        _read_optional_field(cursor, key)
    elif key == "user_data":
        document.user_data = _read_optional_field(cursor, key)
    else:
        return False
    return True


def _read_pcrs(cursor: Cursor) -> dict[int, bytes]:
    pcrs: dict[int, bytes] = {}

    def read_entry() -> None:
        offset = cursor.position
        index = cbor.read_unsigned(cursor)
        if index >= _PCR_LIMIT:
            _fail("PcrIndexInvalid", offset, f"there is no PCR{index}")
        if index in pcrs:
            _fail("PcrRepeated", offset, f"PCR{index} comes twice")
        pcrs[index] = _read_field(cursor, f"PCR{index}", _PCR_LENGTH, _PCR_LENGTH)

    cbor.read_map(cursor, read_entry)
    for index in MEASURED_PCRS:
        if index not in pcrs:
            _fail("PcrMissing", cursor.position, f"no PCR{index}")
    return pcrs


def _read_cabundle(cursor: Cursor) -> list[bytes]:
    offset = cursor.position
    count = cbor.read_array(cursor)
    if count == 0 or count > _MAXIMUM_CABUNDLE:
        reason = f"cabundle has {count} entries, not 1 to {_MAXIMUM_CABUNDLE}"
        _fail("LengthInvalid", offset, reason)
    return [
        _read_field(cursor, f"cabundle[{index}]", 1, _MAXIMUM_FIELD_LENGTH)
        for index in range(count)
    ]


def _read_field(cursor: Cursor, name: str, minimum: int, maximum: int) -> bytes:
    offset = cursor.position
    return _require_length(cbor.read_bytes(cursor), name, offset, minimum, maximum)


def _read_optional_field(cursor: Cursor, name: str) -> bytes | None:
    offset = cursor.position
    value = cbor.read_bytes_or_null(cursor)
    if value is None:
        return None
    return _require_length(value, name, offset, 0, _MAXIMUM_FIELD_LENGTH)


def _require_length(value: bytes, name: str, offset: int, minimum: int, maximum: int) -> bytes:
    if minimum <= len(value) <= maximum:
        return value
    expected = f"{minimum}" if minimum == maximum else f"{minimum} to {maximum}"
    _fail("LengthInvalid", offset, f"{name} has {len(value)} bytes, not {expected}")


def _fail(error: str, offset: int, reason: str) -> NoReturn:
    raise EvidenceError(f"NitroDocument_{error}", offset, reason)
