"""Everything of a receipt that is bytes is ``0x`` and lower-case hex."""

from __future__ import annotations

from Crypto.Hash import keccak as _keccak

WORD_LENGTH = 32


def to_bytes(text: str) -> bytes:
    """The bytes of such text; whatever else raises ``ValueError``."""
    if not text.startswith("0x"):
        raise ValueError("hex begins with 0x")
    return bytes.fromhex(text[2:])


def to_hex(data: bytes) -> str:
    return "0x" + data.hex()


def keccak(*parts: bytes) -> bytes:
    """keccak256 of the parts in a row."""
    digest = _keccak.new(digest_bits=256)
    for part in parts:
        digest.update(part)
    result: bytes = digest.digest()
    return result


def keccak_hex(text: str) -> str:
    """keccak256 of bytes that are given as hex, as hex."""
    return to_hex(keccak(to_bytes(text)))


def word(value: int) -> bytes:
    """A number as a big-endian word of 32 bytes."""
    return value.to_bytes(WORD_LENGTH, "big")


def address_word(address: str) -> bytes:
    return to_bytes(address.lower()).rjust(WORD_LENGTH, b"\0")
