"""The verifier."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from .chain.open_chain import Chain
from .checks.judged import asked, judged, words_of
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
from .legacy.receipt import is_legacy
from .legacy.verify_legacy import verify_legacy
from .line import Line, line_of
from .pins import Pins
from .receipt.parse_receipt import parse_receipt, read_receipt
from .receipt.receipt import Receipt
from .witness.judge import judge_witnesses


def verify(
    source: bytes | str | Receipt | Mapping[str, Any],
    *,
    pins: Pins | None = None,
    model: str | None = None,
    rpcs: Sequence[str] = (),
    block_hashes: Sequence[str] = (),
    now: int | None = None,
) -> list[Line]:
    """What was checked of a receipt, by what, as of when: the same list as ``@haca/sdk`` makes.

    It fails closed: what raises in a check refutes it, what could not be asked is unknown, and ``is_verified`` takes
    neither.

    :param source: a receipt, or its bytes or text
    :param pins: none: whatever rests on pins is unknown
    :param model: name of the pinned model that has to have answered; any of the pinned ones if left out
    :param rpcs: addresses of JSON-RPC endpoints; all have to agree. None: no chain is asked
    :param block_hashes: of blocks that you know to be the chain's: what a witness shows counts as of these alone
    :param now: unix seconds; this machine's clock if left out
    """
    known = Pins() if pins is None else pins
    at = int(time.time()) if now is None else now
    if is_legacy(source):
        return verify_legacy(source, known, model, rpcs, at)
    try:
        written = isinstance(source, (bytes, str))
        receipt = parse_receipt(source) if written else read_receipt(source)  # type: ignore[arg-type]
    except Exception as error:
        return [line_of("form", "refuted", words_of(error))]
    core = receipt["core"]
    documents = [item for item in receipt["evidence"] if item["type"] == "attestation"]
    proofs = [item for item in receipt["evidence"] if item["type"] == "proof"]
    pages = [item for item in receipt["evidence"] if item["type"] == "page"]
    is_enclave = is_of_enclave(core)

    lines = [
        line_of("form", "asserted", "a receipt of the form haca-receipt/1"),
        judged("contract", lambda: check_contract(core, known)),
        judged("time", lambda: check_time(core, at)),
        judged("request", lambda: check_request(core)),
        judged("model", lambda: check_model(core, known, model)),
        judged("input", lambda: check_input(core)),
        judged("output", lambda: check_output(core)),
    ]
    if is_enclave:
        lines.append(judged("key", lambda: check_key(core)))
    lines.append(judged("signature", lambda: check_signature(core)))
    chain = _open_pinned(receipt, known, rpcs)
    if core["session"] is not None:
        lines.append(asked("session", chain, lambda at: ask_session(at, core)))
    if is_enclave or documents:
        lines.append(
            judged("attestation", lambda: check_attestation(core, documents, known, at))
        )
    if not is_enclave or proofs:
        lines.append(judged("proof", lambda: check_proof(core, proofs, known)))
    lines.append(judged("page", lambda: check_page(core, pages)))
    witnesses = [item for item in receipt["evidence"] if item["type"] == "witness"]
    known_settlement = known.settlement_of(core["chainId"], core["settlement"])
    layout = None if known_settlement is None else known_settlement.storage
    witnessed = judge_witnesses(core, witnesses, layout, block_hashes) if witnesses else None
    lines.extend([] if witnessed is None else witnessed.lines)
    lines.append(
        asked("validWhenAnswered", chain, lambda at: ask_valid_when_answered(at, core))
    )
    lines.append(asked("inGoodStanding", chain, lambda at: ask_in_good_standing(at, core)))
    if isinstance(chain, str) and witnessed is not None:
        lines.append(witnessed.settled)
    else:
        lines.append(asked("settled", chain, lambda at: ask_settled(at, core, pages)))
    return lines


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
        return words_of(error)
