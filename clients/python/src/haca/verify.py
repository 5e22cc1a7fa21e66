"""The verifier."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .chain.open_chain import Chain
from .checks.of_chain import (
    ask_in_good_standing,
    ask_session,
    ask_settled,
    ask_valid_when_answered,
)
from .checks.of_evidence import check_attestation, check_page, check_proof
from .checks.of_message import (
    check_contract,
    check_input,
    check_key,
    check_model,
    check_output,
    check_request,
    check_signature,
    check_time,
    is_of_enclave,
)
from .errors import ChainError
from .line import Check, Line, line_of
from .pins import Pins
from .receipt.parse_receipt import parse_receipt, read_receipt
from .receipt.receipt import Receipt


def verify(
    source: bytes | str | Receipt | Mapping[str, Any],
    *,
    pins: Pins | None = None,
    model: str | None = None,
    rpcs: Sequence[str] = (),
    now: int | None = None,
) -> list[Line]:
    """What was checked of a receipt, by what, as of when: the same list as ``@haca/sdk`` makes.

    It fails closed: what raises in a check refutes it, what could not be asked is unknown, and ``is_verified`` takes
    neither.

    :param source: a receipt, or its bytes or text
    :param pins: none: whatever rests on pins is unknown
    :param model: name of the pinned model that has to have answered; any of the pinned ones if left out
    :param rpcs: addresses of JSON-RPC endpoints; all have to agree. None: no chain is asked
    :param now: unix seconds; this machine's clock if left out
    """
    known = Pins() if pins is None else pins
    at = int(time.time()) if now is None else now
    try:
        written = isinstance(source, (bytes, str))
        receipt = parse_receipt(source) if written else read_receipt(source)  # type: ignore[arg-type]
    except Exception as error:
        return [line_of("form", "refuted", _words_of(error))]
    core = receipt["core"]
    documents = [item for item in receipt["evidence"] if item["type"] == "attestation"]
    proofs = [item for item in receipt["evidence"] if item["type"] == "proof"]
    pages = [item for item in receipt["evidence"] if item["type"] == "page"]
    is_enclave = is_of_enclave(core)

    lines = [
        line_of("form", "asserted", "a receipt of the form haca-receipt/1"),
        _judged("contract", lambda: check_contract(core, known)),
        _judged("time", lambda: check_time(core, at)),
        _judged("request", lambda: check_request(core)),
        _judged("model", lambda: check_model(core, known, model)),
        _judged("input", lambda: check_input(core)),
        _judged("output", lambda: check_output(core)),
    ]
    if is_enclave:
        lines.append(_judged("key", lambda: check_key(core)))
    lines.append(_judged("signature", lambda: check_signature(core)))
    chain = _open_pinned(receipt, known, rpcs)
    if core["session"] is not None:
        lines.append(_asked("session", chain, lambda at: ask_session(at, core)))
    if is_enclave or documents:
        lines.append(
            _judged("attestation", lambda: check_attestation(core, documents, known, at))
        )
    if not is_enclave or proofs:
        lines.append(_judged("proof", lambda: check_proof(core, proofs, known)))
    lines.append(_judged("page", lambda: check_page(core, pages)))
    lines.append(
        _asked("validWhenAnswered", chain, lambda at: ask_valid_when_answered(at, core))
    )
    lines.append(_asked("inGoodStanding", chain, lambda at: ask_in_good_standing(at, core)))
    lines.append(_asked("settled", chain, lambda at: ask_settled(at, core, pages)))
    return lines


def _judged(check: Check, look: Callable[[], Line]) -> Line:
    try:
        return look()
    except Exception as error:
        return line_of(check, "refuted", _words_of(error))


def _open_pinned(receipt: Receipt, pins: Pins, rpcs: Sequence[str]) -> Chain | str:
    """A chain, or why there is none to ask."""
    core = receipt["core"]
    if not rpcs:
        return "no RPC was given"
    if not pins.has_settlement(core["chainId"], core["settlement"]):
        return "a settlement that is not pinned is not asked"
    try:
        return Chain(rpcs, core["chainId"])
    except Exception as error:
        return _words_of(error)


def _asked(check: Check, chain: Chain | str, look: Callable[[Chain], Line]) -> Line:
    """What a chain says; unknown where it does not, whatever the reason."""
    if isinstance(chain, str):
        return line_of(check, "unknown", chain)
    try:
        return look(chain)
    except ChainError as error:
        return line_of(check, "unknown", _words_of(error))
    except Exception as error:
        return line_of(check, "refuted", _words_of(error))


def _words_of(error: Exception) -> str:
    return str(error) or "failed for no reason that was given"
