"""EIP-712 of ``IInferenceSettlement.InferenceResult``, by constants of our own: a receipt brings none."""

from __future__ import annotations

from .hex_bytes import address_word, keccak, to_bytes, word
from .receipt.receipt import Core

_DOMAIN_TYPE = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_RESULT_TYPE = keccak(
    b"InferenceResult(bytes32 modelVersion,bytes32 inputHash,bytes32 outputHash,address requester,"
    b"bytes32 requestId,uint256 price,uint64 timestamp,bytes32 teeId)"
)
_NAME = keccak(b"HACA InferenceSettlement")
_VERSION = keccak(b"1")


def message_words(core: Core) -> list[bytes]:
    """The fields as EIP-712 and the ABI encode them, word by word."""
    message = core["message"]
    return [
        to_bytes(message["modelVersion"]),
        to_bytes(message["inputHash"]),
        to_bytes(message["outputHash"]),
        address_word(message["requester"]),
        to_bytes(message["requestId"]),
        word(int(message["price"])),
        word(int(message["timestamp"])),
        to_bytes(message["teeId"]),
    ]


def receipt_id(core: Core) -> bytes:
    """What was signed, and what a receipt is called by: the EIP-712 digest of its message."""
    chain = word(int(core["chainId"]))
    domain = keccak(_DOMAIN_TYPE, _NAME, _VERSION, chain, address_word(core["settlement"]))
    return keccak(b"\x19\x01", domain, keccak(_RESULT_TYPE, *message_words(core)))


def hash_words(words: list[str]) -> bytes:
    """keccak256 of packed words: ``inputHash`` and ``outputHash`` of a model with words."""
    return keccak(*map(to_bytes, words))
