"""As ``SigningKeys`` of the contracts: RSA-PSS and P-256 over the SHA-256 of the 32 bytes, secp256k1 over these themselves."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from eth_keys.main import KeyAPI

from .hex_bytes import keccak, to_bytes, to_hex
from .signature_form import SECP256K1_ORDER, SECP256K1_PREFIX, kind_of_key

_RSA_MINIMUM_BITS = 2048
_RSA_MAXIMUM_BITS = 4096
_RSA_STEP_BITS = 64
_RSA_EXPONENT = 65_537
_SALT_LENGTH = 32
_SECP256K1_PRIME = 2**256 - 2**32 - 977

# Named, so that no library that is there by chance takes its place.
_KEYS = KeyAPI("eth_keys.backends.NativeECCBackend")


def recover_account(digest: bytes, signature: bytes) -> str:
    """The account that signed a digest: r | s | v, v 27 or 28, s the lower one. Raises for anything else."""
    if len(signature) != 65:
        raise ValueError("the signature must have 65 bytes")
    v = signature[64]
    if v not in (27, 28):
        raise ValueError("v must be 27 or 28")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if not (0 < r < SECP256K1_ORDER and 0 < s < SECP256K1_ORDER):
        raise ValueError("r and s must be above zero and below the group's order")
    if s > SECP256K1_ORDER // 2:
        raise ValueError("s must be the lower one of the two")
    signed = _KEYS.Signature(vrs=(v - 27, r, s))
    point = signed.recover_public_key_from_msg_hash(digest).to_bytes()
    # Of a signature that leads to the point at infinity some library makes coordinates.
    _require_on_secp256k1(point)
    return _account_of(point)


def is_signed_by_key(key: str, message: bytes, signature: bytes) -> bool:
    """Whether an enclave's key (SubjectPublicKeyInfo, DER) signed 32 bytes. Raises, or is false, for what is malformed."""
    kind = kind_of_key(key)
    if kind == "secp256k1":
        point = to_bytes(key)[len(to_bytes(SECP256K1_PREFIX)) :]
        _require_on_secp256k1(point)
        return recover_account(message, signature) == _account_of(point)
    if kind == "p256":
        curve_key = load_der_public_key(to_bytes(key))
        if not isinstance(curve_key, ec.EllipticCurvePublicKey):
            raise ValueError("the key is not one of P-256")
        return _is_signed_on_curve(curve_key, message, signature, hashes.SHA256())
    return _is_signed_by_rsa(to_bytes(key), message, signature)


def is_signed_by_p384(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a P-384 key (x | y) signed the message with SHA-384. Raises for a key that is no point."""
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), b"\x04" + public_key)
    return _is_signed_on_curve(key, message, signature, hashes.SHA384())


def _is_signed_by_rsa(spki: bytes, message: bytes, signature: bytes) -> bool:
    key = load_der_public_key(spki)
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("the key is of none of the kinds that sign")
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
        raise ValueError("the key is not in DER")
    is_range = _RSA_MINIMUM_BITS <= key.key_size <= _RSA_MAXIMUM_BITS
    is_size = is_range and key.key_size % _RSA_STEP_BITS == 0
    if not is_size or key.public_numbers().e != _RSA_EXPONENT:
        raise ValueError(
            "an RSA key must have 2,048 to 4,096 bits, a multiple of 64, and the exponent 65,537"
        )
    scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=_SALT_LENGTH)
    try:
        key.verify(signature, message, scheme, hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _is_signed_on_curve(
    key: ec.EllipticCurvePublicKey, message: bytes, signature: bytes, digest: hashes.HashAlgorithm
) -> bool:
    half = (key.key_size + 7) // 8
    if len(signature) != 2 * half:
        return False
    r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    try:
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(digest))
    except InvalidSignature:
        return False
    return True


def _require_on_secp256k1(point: bytes) -> None:
    x, y = int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big")
    is_field = x < _SECP256K1_PRIME and y < _SECP256K1_PRIME
    if len(point) != 64 or not is_field or (y * y - x * x * x - 7) % _SECP256K1_PRIME != 0:
        raise ValueError("the key is no point of secp256k1")


def _account_of(point: bytes) -> str:
    """Account of the coordinates of a point."""
    return to_hex(keccak(point)[12:])
