"""The lines of a receipt of the profile ``legacy``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..chain import contract_reads as reads
from ..chain.open_chain import Chain
from ..checks.judged import asked, judged, words_of
from ..checks.of_evidence import check_attestation
from ..checks.of_message import (
    check_key,
    check_time,
    compared,
    not_there,
    of_signature,
)
from ..hex_bytes import keccak, to_bytes
from ..line import Check, Line, Status, line_of
from ..pins import Pins
from ..receipt.receipt import Text
from ..signatures import is_signed_by_key
from .receipt import LegacyCore, legacy_digest, parse_legacy_receipt, read_legacy_receipt

_NOT_NAMED = "what is signed in the profile legacy names"
_COVERED = (
    "signed are the hashes of request and answer, and the time. Of the request: model's name, messages, temperature, "
    "max_tokens, stop, tools, response_format. Of the answer: its text, or its tool calls. Not covered are chain, contract, "
    "request, price and payer; the model's version; other parameters; the bytes of attachments; finish_reason, usage and "
    "whatever else stands in the answer"
)


def verify_legacy(
    source: object,
    pins: Pins,
    model: str | None,
    rpcs: Sequence[str],
    now: int,
) -> list[Line]:
    """Those of others, where it has them, and what its signature does not cover."""
    try:
        is_written = isinstance(source, (bytes, str))
        receipt = parse_legacy_receipt(source) if is_written else read_legacy_receipt(source)  # type: ignore[arg-type]
    except Exception as error:
        return [line_of("form", "refuted", words_of(error))]
    core, documents = receipt["core"], receipt["evidence"]
    registry = _open_registry(pins, rpcs)
    unsigned = f"{_NOT_NAMED} no version of a model"
    return [
        line_of("form", "asserted", "a receipt of the form haca-legacy-receipt/1"),
        line_of("contract", "unknown", f"{_NOT_NAMED} neither chain nor contract"),
        judged("time", lambda: check_time(core, now)),
        line_of("request", "unknown", f"{_NOT_NAMED} no request: it answers each that is the same"),
        line_of("model", "unknown", unsigned)
        if model is None
        else line_of("model", "refuted", f"{unsigned}, and not {model}"),
        line_of("coverage", "asserted", _COVERED),
        judged("input", lambda: _check_content("input", core["input"], core["message"]["inputHash"])),
        judged(
            "output", lambda: _check_content("output", core["output"], core["message"]["outputHash"])
        ),
        judged("key", lambda: check_key(core)),
        judged("signature", lambda: _check_signature(core)),
        judged("attestation", lambda: check_attestation(core, documents, pins, now)),
        _ask("validWhenAnswered", registry, lambda chain, at: _in_service(chain, at, core)),
        _ask("inGoodStanding", registry, lambda chain, at: _active(chain, at, core)),
        line_of("settled", "unknown", f"{_NOT_NAMED} no chain on which it could be settled"),
    ]


def _check_content(check: Check, content: Text | None, expected: str) -> Line:
    if content is None:
        return not_there(check)
    return compared(check, keccak(content["text"].encode()), expected)


def _check_signature(core: LegacyCore) -> Line:
    signature = to_bytes(core["signature"])
    is_signed = is_signed_by_key(core["key"], legacy_digest(core), signature)
    return of_signature(is_signed, "the enclave's key")


def _open_registry(pins: Pins, rpcs: Sequence[str]) -> tuple[Chain, str] | str:
    """The chain of the one settlement that is pinned, or why none is asked: the receipt names none."""
    if not rpcs:
        return "no RPC was given"
    if not pins.settlements:
        return "no settlement is pinned whose registry could be asked"
    if len(pins.settlements) > 1:
        return "several settlements are pinned, and the receipt names none"
    (only,) = pins.settlements
    try:
        return Chain(rpcs, only.chain_id), only.settlement
    except Exception as error:
        return words_of(error)


def _ask(
    check: Check,
    registry: tuple[Chain, str] | str,
    look: Callable[[Chain, str], tuple[Status, str]],
) -> Line:
    if isinstance(registry, str):
        return line_of(check, "unknown", registry)
    chain, settlement = registry

    def ask(at: Chain) -> Line:
        said = look(at, reads.tee_registry_of(at, settlement))
        return line_of(check, *said, at.source, at.as_of)

    return asked(check, chain, ask)


def _in_service(chain: Chain, registry: str, core: LegacyCore) -> tuple[Status, str]:
    message = core["message"]
    time = min(int(message["timestamp"]), chain.block.time)
    if reads.was_in_service(chain, registry, message["teeId"], time):
        return "asserted", "the enclave was in service"
    return "refuted", "the enclave was not in service, or is excluded now"


def _active(chain: Chain, registry: str, core: LegacyCore) -> tuple[Status, str]:
    if reads.is_active(chain, registry, core["message"]["teeId"]):
        return "asserted", "the enclave is active"
    return "refuted", "the enclave is not active"
