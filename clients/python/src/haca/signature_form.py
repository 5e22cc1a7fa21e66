"""Of every ECDSA signature there are two forms, with s and with the group's order minus s, and the contracts take both of P-256.
A receipt has the lower one, so that it can be written in one way only."""

from __future__ import annotations

from typing import Literal

from .receipt.receipt import Core

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

# SubjectPublicKeyInfo up to an uncompressed point's coordinates, which are 64 bytes.
P256_PREFIX = "0x3059301306072a8648ce3d020106082a8648ce3d03010703420004"
SECP256K1_PREFIX = "0x3056301006072a8648ce3d020106052b8104000a03420004"
_POINT_DIGITS = 128
_RAW_DIGITS = 128

KeyKind = Literal["p256", "secp256k1", "rsa"]


def kind_of_key(key: str) -> KeyKind:
    """The kind that a key says it is; whatever is no curve's is left to be an RSA key, or none."""
    if _is_of(key, P256_PREFIX):
        return "p256"
    return "secp256k1" if _is_of(key, SECP256K1_PREFIX) else "rsa"


def kind_of_signature(key: str | None, session: str | None) -> KeyKind:
    """What kind of key a receipt's signature is by; accounts have secp256k1."""
    return "secp256k1" if key is None or session is not None else kind_of_key(key)


def has_high_s(core: Core) -> bool:
    """Whether it is an ECDSA signature with the upper s."""
    order = _order_of(core)
    if order is None or len(core["signature"]) < 2 + _RAW_DIGITS:
        return False
    return _scalar_of(core["signature"]) > order // 2


def with_other_s(core: Core) -> str:
    """The same signature with the other s, and the v that belongs to it; itself where there is no other."""
    signature = core["signature"]
    order = _order_of(core)
    if order is None or len(signature) < 2 + _RAW_DIGITS:
        return signature
    other = order - _scalar_of(signature)
    v = signature[2 + _RAW_DIGITS :]
    other_v = {"1b": "1c", "1c": "1b"}.get(v, v)
    return f"{signature[:66]}{other:064x}{other_v}"


def _scalar_of(signature: str) -> int:
    return int(signature[66 : 2 + _RAW_DIGITS], 16)


def _order_of(core: Core) -> int | None:
    kind = kind_of_signature(core["key"], core["session"])
    if kind == "rsa":
        return None
    return P256_ORDER if kind == "p256" else SECP256K1_ORDER


def _is_of(key: str, prefix: str) -> bool:
    return key.startswith(prefix) and len(key) == len(prefix) + _POINT_DIGITS
