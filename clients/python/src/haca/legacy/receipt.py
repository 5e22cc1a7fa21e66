"""The form of a receipt of the profile ``legacy``: what was signed names no chain, contract, request and version of a model."""

from __future__ import annotations

from typing import Any, TypedDict, cast

from ..errors import FormatError
from ..hex_bytes import keccak, to_bytes, word
from ..json_text import parse_json
from ..receipt.parse_receipt import parse_written
from ..receipt.readers import decimal, hex_of, list_of, literal, named, nullable, object_of, text
from ..receipt.receipt import AttestationEvidence, Limits, Text
from ..signature_form import kind_of_key

LEGACY_MEDIA_TYPE = "application/vnd.haca-legacy-receipt.v1+json"


class LegacyMessage(TypedDict):
    inputHash: str
    outputHash: str
    timestamp: str
    teeId: str
    """of the key; not in what is signed"""


class LegacyCore(TypedDict):
    message: LegacyMessage
    signature: str
    key: str
    attestation: str | None
    input: Text | None
    output: Text | None


class LegacyReceipt(TypedDict):
    mediaType: str
    core: LegacyCore
    evidence: list[AttestationEvidence]
    hints: dict[str, str]


_WORD = hex_of(32)
_CONTENT = nullable(object_of({"type": literal("text"), "text": text(Limits.TEXT)}))
_MESSAGE = object_of(
    {"inputHash": _WORD, "outputHash": _WORD, "timestamp": decimal(64), "teeId": _WORD}
)
_CORE = object_of(
    {
        "message": _MESSAGE,
        "signature": hex_of(256, 512),
        "key": hex_of(1, Limits.KEY),
        "attestation": nullable(_WORD),
        "input": _CONTENT,
        "output": _CONTENT,
    }
)
_DOCUMENT = object_of(
    {"type": literal("attestation"), "document": hex_of(1, Limits.DOCUMENT)}
)
_RECEIPT = object_of(
    {
        "mediaType": literal(LEGACY_MEDIA_TYPE),
        "core": _CORE,
        "evidence": list_of(_DOCUMENT, 0, Limits.EVIDENCE),
        "hints": named(text(Limits.HINT), Limits.HINTS, Limits.HINT_NAME),
    }
)


def is_legacy(source: object) -> bool:
    """Whether something says that it is a receipt of the profile; whether it is one its reader says."""
    if isinstance(source, (bytes, str)):
        if len(source) > Limits.RECEIPT:
            return False
        try:
            written = source if isinstance(source, str) else source.decode("utf-8", "replace")
            return is_legacy(parse_json(written))
        except ValueError:
            return False
    return isinstance(source, dict) and source.get("mediaType") == LEGACY_MEDIA_TYPE


def parse_legacy_receipt(source: bytes | str) -> LegacyReceipt:
    """As ``parse_receipt``, of the profile ``legacy``. Raises ``FormatError``."""
    return cast(LegacyReceipt, parse_written(source, read_legacy_receipt))


def read_legacy_receipt(value: Any) -> LegacyReceipt:
    receipt = cast(LegacyReceipt, _RECEIPT(value, "receipt"))
    if kind_of_key(receipt["core"]["key"]) == "rsa":
        return receipt
    raise FormatError("receipt.core.key", "must be an RSA key: the profile has no other")


def legacy_digest(core: LegacyCore) -> bytes:
    """What was signed: keccak256 of the hashes of request and answer, and of the time."""
    message = core["message"]
    hashes = to_bytes(message["inputHash"]), to_bytes(message["outputHash"])
    return keccak(*hashes, word(int(message["timestamp"])))


def legacy_receipt_id(core: LegacyCore) -> bytes:
    """What a receipt of the profile is called by: keccak256 of the enclave, and of what it signed."""
    return keccak(to_bytes(core["message"]["teeId"]), legacy_digest(core))
