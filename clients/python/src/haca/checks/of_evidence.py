"""What a receipt's evidence shows. Of several of one type each has to hold. Whatever is raised here refutes."""

from __future__ import annotations

import hashlib

from ..groth16 import is_proof
from ..hex_bytes import keccak_hex, to_bytes
from ..line import PINS, Line, at_time, line_of
from ..nitro.judge import judge_document
from ..page import page_id_of, place_of, signature_in_page
from ..pins import Pins
from ..receipt.receipt import AttestationEvidence, Core, PageEvidence, ProofEvidence
from .of_message import MAXIMUM_CLOCK_SKEW, context_of, is_of_enclave

_SHA256_MULTIHASH = b"\x12\x20"
_USER_DATA_LENGTH = 68
_TEE = 2
_OPTIMISTIC = 3


def check_attestation(
    core: Core, documents: list[AttestationEvidence], pins: Pins, now: int
) -> Line:
    if not documents:
        what = "names no" if core["attestation"] is None else "does not have its"
        return line_of("attestation", "unknown", f"the receipt {what} attestation document")
    if any(keccak_hex(found["document"]) != core["attestation"] for found in documents):
        reason = "the document is not the one that the core names"
        return line_of("attestation", "refuted", reason)
    judged = judge_document(to_bytes(documents[0]["document"]), pins.attestation_root)
    as_of = at_time(judged.time)
    if judged.errors:
        return line_of("attestation", "refuted", judged.errors[0], as_of=as_of)
    if judged.time > now + MAXIMUM_CLOCK_SKEW:
        reason = "the document is from the future"
        return line_of("attestation", "refuted", reason, as_of=as_of)
    if not _vouches_for(judged.document.user_data, to_bytes(core["key"] or "0x")):
        reason = "the document vouches for another key"
        return line_of("attestation", "refuted", reason, as_of=as_of)
    image = f"image {judged.measurement}"
    if pins.images is None:
        reason = f"the key is in an enclave; its {image} is not pinned"
        return line_of("attestation", "unknown", reason)
    if pins.has_image(judged.measurement):
        words = f"the key is in an enclave of {image}"
        return line_of("attestation", "asserted", words, PINS, as_of)
    reason = f"the enclave's {image} is not pinned"
    return line_of("attestation", "refuted", reason, as_of=as_of)


def check_proof(core: Core, proofs: list[ProofEvidence], pins: Pins) -> Line:
    if not proofs:
        return line_of("proof", "unknown", "the receipt has no proof")
    found = pins.model_of(core["message"]["modelVersion"])
    key_hash = None if found is None else found[1].verifying_key_hash
    input_words = None if found is None else found[1].input_words
    if key_hash is None or input_words is None:
        return line_of("proof", "unknown", "the model's verifying key is not pinned")
    given, output = core["input"], core["output"]
    if given is None or output is None or given["type"] != "words" or output["type"] != "words":
        reason = "the words that are proved are not in the receipt"
        return line_of("proof", "unknown", reason)
    if len(given["words"]) != input_words:
        reason = "the input has another number of words than the model's"
        return line_of("proof", "refuted", reason)
    if any(keccak_hex(proof["verifyingKey"]) != key_hash.lower() for proof in proofs):
        reason = "the proof is for another verifying key than the pinned one"
        return line_of("proof", "refuted", reason)
    words = [int(word, 16) for word in [*given["words"], *output["words"]]]
    signals = [*words, context_of(core)]
    for proof in proofs:
        if not is_proof(to_bytes(proof["verifyingKey"]), to_bytes(proof["proof"]), signals):
            return line_of("proof", "refuted", "the proof does not hold")
    return line_of("proof", "asserted", "the output is the model's on this input", PINS)


def check_page(core: Core, pages: list[PageEvidence]) -> Line:
    """Whether the result is in the page that the header is of; whether the page exists only a chain can tell."""
    if not pages:
        return line_of("page", "unknown", "the receipt is in no page")
    for page in pages:
        reason = _refuse_page(core, page)
        if reason is not None:
            return line_of("page", "refuted", reason)
    return line_of("page", "asserted", "the result is under the root in the page's header")


def _vouches_for(user_data: bytes | None, key: bytes) -> bool:
    """User data of enclaves' gateways: multihashes of TLS certificate and signing key."""
    if user_data is None or len(user_data) != _USER_DATA_LENGTH:
        return False
    return user_data[34:] == _SHA256_MULTIHASH + hashlib.sha256(key).digest()


def _refuse_page(core: Core, page: PageEvidence) -> str | None:
    header = page["header"]
    ledger_page, index = place_of(core["message"]["requestId"])
    if page_id_of(core["chainId"], page) != page["pageId"]:
        return "the page's id is not its header's"
    if int(header["ledgerPage"]) != ledger_page:
        return "the page is of other requests"
    if (int(header["bitmap"]) >> index) & 1 == 0:
        return "the page left the request out"
    if header["teeId"] != core["message"]["teeId"]:
        return "the page is another enclave's"
    if int(header["kind"]) != (_TEE if is_of_enclave(core) else _OPTIMISTIC):
        return "the page is of another kind"
    if signature_in_page(core, page) is None:
        return "the result is not under the root in the page's header"
    return None
