"""A receipt: evidence of an answer, and never a verdict on it. All its values are texts: bytes are ``0x`` and lower-case hex,
numbers decimal digits."""

from __future__ import annotations

from typing import Literal, TypedDict

MEDIA_TYPE = "application/vnd.haca-receipt.v1+json"


class Message(TypedDict):
    """The typed message ``InferenceResult``, field by field."""

    modelVersion: str
    inputHash: str
    outputHash: str
    requester: str
    requestId: str
    price: str
    timestamp: str
    teeId: str


class Words(TypedDict):
    """Packed words of 32 bytes, whose hash is keccak256 of them."""

    type: Literal["words"]
    words: list[str]


class SaltedText(TypedDict):
    """Canonical JSON of a request, whose hash is keccak256 of salt and text."""

    type: Literal["text"]
    salt: str
    text: str


class Text(TypedDict):
    """Canonical JSON of an answer."""

    type: Literal["text"]
    text: str


class Core(TypedDict):
    """What never changes."""

    chainId: str
    settlement: str
    message: Message
    signature: str
    key: str | None
    session: str | None
    attestation: str | None
    input: Words | SaltedText | None
    output: Words | Text | None


class ProofEvidence(TypedDict):
    """Groth16 proof of the words, and the verifying key it is for."""

    type: Literal["proof"]
    proof: str
    verifyingKey: str


class PageHeader(TypedDict):
    kind: str
    teeId: str
    ledgerPage: str
    bitmap: str
    root: str
    blobId: str
    proposer: str
    fee: str


class PageEvidence(TypedDict):
    """The result's way to the root of a page of results."""

    type: Literal["page"]
    pageSettlement: str
    pageId: str
    header: PageHeader
    path: list[str]


class AttestationEvidence(TypedDict):
    """The document whose hash the core has."""

    type: Literal["attestation"]
    document: str


class WitnessEvidence(TypedDict):
    """Parts of a chain's state at one block: what its ledger and its registry say of the result."""

    type: Literal["witness"]
    header: str
    nodes: list[str]
    codes: list[str]


Evidence = ProofEvidence | PageEvidence | AttestationEvidence | WitnessEvidence


class Receipt(TypedDict):
    mediaType: str
    core: Core
    evidence: list[Evidence]
    hints: dict[str, str]


class Limits:
    """What a receipt may hold at most; texts in UTF-16 units, the rest in bytes or entries."""

    RECEIPT = 4 * 1024 * 1024
    TEXT = 1024 * 1024
    WORDS = 1024
    EVIDENCE = 16
    DOCUMENT = 16_384
    VERIFYING_KEY = 448 + 64 * 1026
    KEY = 600
    HEADER = 2048
    NODES = 512
    NODE = 576
    CODES = 4
    CODE = 24_576
    SIGNATURE = 512
    HINTS = 32
    HINT_NAME = 64
    HINT = 2048
