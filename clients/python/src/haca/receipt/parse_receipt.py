"""The strict reader of receipts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import rfc8785

from ..errors import FormatError
from ..json_text import parse_json
from ..signature_form import has_high_s, kind_of_signature
from .readers import (
    decimal,
    hex_of,
    list_of,
    literal,
    named,
    nullable,
    object_of,
    one_of,
    text,
    utf16_length,
)
from .receipt import MEDIA_TYPE, Core, Limits, Receipt

_WORD = hex_of(32)
_ADDRESS = hex_of(20)

_MESSAGE = object_of(
    {
        "modelVersion": _WORD,
        "inputHash": _WORD,
        "outputHash": _WORD,
        "requester": _ADDRESS,
        "requestId": _WORD,
        "price": decimal(256),
        "timestamp": decimal(64),
        "teeId": _WORD,
    }
)
_WORDS = object_of({"type": literal("words"), "words": list_of(_WORD, 1, Limits.WORDS)})
_INPUT = one_of(
    {
        "words": _WORDS,
        "text": object_of({"type": literal("text"), "salt": _WORD, "text": text(Limits.TEXT)}),
    }
)
_OUTPUT = one_of(
    {"words": _WORDS, "text": object_of({"type": literal("text"), "text": text(Limits.TEXT)})}
)
_CORE = object_of(
    {
        "chainId": decimal(64),
        "settlement": _ADDRESS,
        "message": _MESSAGE,
        "signature": hex_of(1, Limits.SIGNATURE),
        "key": nullable(hex_of(1, Limits.KEY)),
        "session": nullable(_ADDRESS),
        "attestation": nullable(_WORD),
        "input": nullable(_INPUT),
        "output": nullable(_OUTPUT),
    }
)
_HEADER = object_of(
    {
        "kind": decimal(8),
        "teeId": _WORD,
        "ledgerPage": decimal(256),
        "bitmap": decimal(256),
        "root": _WORD,
        "blobId": _WORD,
        "proposer": _ADDRESS,
        "fee": decimal(96),
    }
)
_EVIDENCE = one_of(
    {
        "proof": object_of(
            {
                "type": literal("proof"),
                "proof": hex_of(256),
                "verifyingKey": hex_of(448 + 64, Limits.VERIFYING_KEY),
            }
        ),
        "page": object_of(
            {
                "type": literal("page"),
                "pageSettlement": _ADDRESS,
                "pageId": _WORD,
                "header": _HEADER,
                "path": list_of(_WORD, 8, 8),
            }
        ),
        "attestation": object_of(
            {"type": literal("attestation"), "document": hex_of(1, Limits.DOCUMENT)}
        ),
        "witness": object_of(
            {
                "type": literal("witness"),
                "header": hex_of(1, Limits.HEADER),
                "nodes": list_of(hex_of(1, Limits.NODE), 1, Limits.NODES),
                "codes": list_of(hex_of(1, Limits.CODE), 0, Limits.CODES),
            }
        ),
    }
)
_RECEIPT = object_of(
    {
        "mediaType": literal(MEDIA_TYPE),
        "core": _CORE,
        "evidence": list_of(_EVIDENCE, 0, Limits.EVIDENCE),
        "hints": named(text(Limits.HINT), Limits.HINTS, Limits.HINT_NAME),
    }
)

_SIGNATURE_LENGTHS = {"secp256k1": (65, 65), "p256": (64, 64), "rsa": (256, 512)}


T = TypeVar("T")


def parse_receipt(source: bytes | str) -> Receipt:
    """Reads a receipt from its bytes or their text.

    Strict: another order, another case, a space, an unknown or missing field, or a signature in another form than a
    receipt's is no receipt. Raises ``FormatError``, naming field and reason.
    """
    return parse_written(source, read_receipt)


def parse_written(source: bytes | str, read: Callable[[object], T]) -> T:
    """A value of RFC 8785 bytes, or of their text, by the reader of its kind. Raises ``FormatError``."""
    length = utf16_length(source) if isinstance(source, str) else len(source)
    if length > Limits.RECEIPT:
        raise FormatError("receipt", f"must have {Limits.RECEIPT} bytes at most, has {length}")
    written = source if isinstance(source, str) else _decode(source)
    value = read(_parse(written))
    if _serialise(value) == written:
        return value
    reason = "is not in its RFC 8785 form: order, spaces, escapes or repeated names"
    raise FormatError("receipt", reason)


def read_receipt(value: object) -> Receipt:
    """The same of a value that is read already, as its maker has it: everything but the form of the text."""
    receipt = cast(Receipt, _RECEIPT(value, "receipt"))
    core = receipt["core"]
    is_enclave = int(core["message"]["teeId"], 16) != 0
    if is_enclave == (core["key"] is None):
        reason = "is missing" if is_enclave else "belongs to no enclave"
        raise FormatError("receipt.core.key", reason)
    has_enclave_parts = core["session"] is not None or core["attestation"] is not None
    if not is_enclave and has_enclave_parts:
        raise FormatError("receipt.core", "session and attestation belong to an enclave")
    _require_signature_form(core)
    return receipt


def serialise_receipt(receipt: Receipt) -> str:
    """The one text of a receipt: RFC 8785."""
    return _serialise(receipt)


def _serialise(value: object) -> str:
    return rfc8785.dumps(cast("dict[str, rfc8785._impl._Value]", value)).decode("utf-8")


def _require_signature_form(core: Core) -> None:
    signature = core["signature"]
    path = "receipt.core.signature"
    kind = kind_of_signature(core["key"], core["session"])
    hex_of(*_SIGNATURE_LENGTHS[kind])(signature, path)
    if kind == "secp256k1" and signature[-2:] not in ("1b", "1c"):
        raise FormatError(path, "v must be 27 or 28")
    if has_high_s(core):
        raise FormatError(path, "s must be the lower one of the two")


def _parse(written: str) -> object:
    try:
        return parse_json(written)
    except ValueError:
        raise FormatError("receipt", "is not JSON") from None


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError("receipt", "is not UTF-8") from None
