"""Judges a document by the rules of ``NitroAttestationVerifier`` and ``CertificateStore``, as of its own time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ..errors import EvidenceError
from ..hex_bytes import keccak, to_hex
from ..signatures import is_signed_by_p384
from .certificate import (
    CERTIFICATE_SIGN,
    DIGITAL_SIGNATURE,
    NO_PATH_LENGTH,
    Certificate,
    parse_certificate,
    to_raw_signature,
)
from .document import MEASURED_PCRS, Document, parse_document

AWS_ROOT_FINGERPRINT = "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b"
"""SHA-256 of the DER of AWS's root for Nitro enclaves."""


@dataclass(frozen=True)
class Judged:
    document: Document
    measurement: str
    """keccak256 of PCR0 | PCR1 | PCR2"""
    time: int
    """unix seconds"""
    errors: list[str]
    """empty if the verifier contract would accept the document at its time"""


def judge_document(data: bytes, root_fingerprint: str | None) -> Judged:
    """Every error is found, not only the first one. Certificates end, and what they showed stays so: a document counts as of its
    own time. Raises ``EvidenceError`` where the bytes are no document."""
    document = parse_document(data)
    time = document.timestamp // 1000
    errors: list[str] = []
    pcrs = [document.pcrs[index] for index in MEASURED_PCRS]
    if any(not any(pcr) for pcr in pcrs):
        errors.append("the enclave runs in debug mode: PCR0, PCR1 or PCR2 is zero")
    ders = [*document.cabundle, document.certificate]
    wanted = (root_fingerprint or AWS_ROOT_FINGERPRINT).lower().removeprefix("0x")
    if hashlib.sha256(ders[0]).hexdigest() != wanted:
        errors.append("its first certificate is not the pinned root")
    signatures: list[tuple[bytes, bytes, bytes]] = []
    certificates = _verify_chain(ders, time, errors, signatures)
    if len(certificates) == len(ders):
        signer = certificates[-1]
        if signer.is_authority:
            errors.append("the key that signs documents is an authority's")
        signatures.append((signer.public_key, document.signed_message, document.signature))
    for public_key, message, signature in signatures:
        if not is_signed_by_p384(public_key, message, signature):
            errors.append("a signature of the document is wrong")
    return Judged(document, to_hex(keccak(*pcrs)), time, errors)


def _verify_chain(
    ders: list[bytes],
    now: int,
    errors: list[str],
    signatures: list[tuple[bytes, bytes, bytes]],
) -> list[Certificate]:
    """Form, names, path length, key usage, and validity; what is signed by what goes to ``signatures``. What stands behind the first
    certificate that cannot be read is left out."""
    read = [_read_or(errors, index, data) for index, data in enumerate(ders)]
    certificates: list[Certificate] = []
    for certificate in read:
        if certificate is None:
            break
        certificates.append(certificate)
    path_length = NO_PATH_LENGTH
    for index, certificate in enumerate(certificates):
        if index == 0:
            # Its own signature is not checked, because it is pinned.
            if not certificate.is_authority:
                errors.append("certificate 0: the root is no authority")
            _judge_key_usage(certificate, index, errors)
            path_length = certificate.path_length
            continue
        _judge_link(certificate, certificates[index - 1], path_length, index, errors, signatures)
        if path_length == NO_PATH_LENGTH:
            path_length = certificate.path_length
        else:
            path_length = min(max(path_length - 1, 0), certificate.path_length)
    _judge_validity(certificates, now, errors)
    return certificates


def _read_or(errors: list[str], index: int, data: bytes) -> Certificate | None:
    try:
        return parse_certificate(data)
    except EvidenceError as error:
        errors.append(f"certificate {index}: {error}")
        return None


def _judge_link(
    certificate: Certificate,
    parent: Certificate,
    path_length: int,
    index: int,
    errors: list[str],
    signatures: list[tuple[bytes, bytes, bytes]],
) -> None:
    if certificate.issuer != parent.subject:
        errors.append(f"certificate {index}: its issuer is not the subject of the one before it")
    if not parent.is_authority:
        errors.append(f"certificate {index}: the one before it may not sign certificates")
    elif certificate.is_authority and path_length == 0:
        errors.append(f"certificate {index}: the path length of those before it is used up")
    _judge_key_usage(certificate, index, errors)
    try:
        signature = to_raw_signature(certificate.signature)
    except EvidenceError as error:
        errors.append(f"certificate {index}: {error}")
        return
    signatures.append((parent.public_key, certificate.tbs, signature))


def _judge_key_usage(certificate: Certificate, index: int, errors: list[str]) -> None:
    is_signer = certificate.key_usage & CERTIFICATE_SIGN != 0
    if certificate.is_authority:
        if not is_signer:
            reason = "an authority whose key usage lacks keyCertSign"
            errors.append(f"certificate {index}: {reason}")
    elif certificate.key_usage & DIGITAL_SIGNATURE == 0 or is_signer:
        reason = "no authority, and its key usage lacks digitalSignature or has keyCertSign"
        errors.append(f"certificate {index}: {reason}")


def _judge_validity(certificates: list[Certificate], now: int, errors: list[str]) -> None:
    for index, certificate in enumerate(certificates):
        if now < certificate.not_before:
            errors.append(f"certificate {index}: it is not valid yet at this time")
            break
    for index, certificate in enumerate(certificates):
        if now > certificate.not_after:
            errors.append(f"certificate {index}: it is not valid any more at this time")
            break
