"""Receipts of answers of AI models, and their verifier.

    from haca import is_verified, read_pins, verify

    lines = verify(receipt, pins=read_pins(text), rpcs=["https://rpc.example"])
    if not is_verified(lines):
        raise RuntimeError("not verified")
"""

from .errors import ChainError, EvidenceError, FormatError, HacaError
from .line import CHECKS, AsOf, Check, Line, Status
from .pins import PinnedModel, PinnedSettlement, Pins, read_pins
from .policy import Attestation, is_verified, what_is_missing
from .receipt.parse_receipt import parse_receipt, read_receipt, serialise_receipt
from .receipt.receipt import Receipt
from .typed_data import receipt_id
from .verify import verify

__all__ = [
    "CHECKS",
    "AsOf",
    "Attestation",
    "ChainError",
    "Check",
    "EvidenceError",
    "FormatError",
    "HacaError",
    "Line",
    "PinnedModel",
    "PinnedSettlement",
    "Pins",
    "Receipt",
    "Status",
    "is_verified",
    "parse_receipt",
    "read_pins",
    "read_receipt",
    "receipt_id",
    "serialise_receipt",
    "verify",
    "what_is_missing",
]
