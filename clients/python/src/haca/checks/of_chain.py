"""What a chain says at one block of a receipt whose settlement is pinned; every other contract is one that it names."""

from __future__ import annotations

from ..chain import contract_reads as reads
from ..chain.open_chain import Chain
from ..line import Check, Line, Status, line_of
from ..page import signature_in_page
from ..receipt.receipt import Core, PageEvidence
from .of_message import is_of_enclave

_PUBLISHED = 1
_DEPRECATED = 2
_NOT_KEPT = bytes(32)
_ZKML = 1
_TEE = 2
_STATES: tuple[tuple[Status, str], ...] = (
    ("unknown", "the chain knows no such page"),
    ("unknown", "the page is pending"),
    ("asserted", "the page is final"),
    ("refuted", "the page was rejected"),
    ("refuted", "the page was shown to be wrong after it was final"),
)
"""As ``PageSettlement`` counts what became of a page."""


def ask_session(chain: Chain, core: Core) -> Line:
    registry = reads.tee_registry_of(chain, core["settlement"])
    account = core["session"] or ""
    session = reads.session_of(chain, registry, core["message"]["teeId"], account)
    if not session.signs_results:
        reason = "the enclave certified no such key for results"
        return _say(chain, "session", "refuted", reason)
    if session.since <= _time_of(core, chain) < session.until:
        words = "the enclave certified the session's key for results"
        return _say(chain, "session", "asserted", words)
    reason = "the session's key was not valid when the answer was given"
    return _say(chain, "session", "refuted", reason)


def ask_valid_when_answered(chain: Chain, core: Core) -> Line:
    check: Check = "validWhenAnswered"
    time = _time_of(core, chain)
    models = reads.model_registry_of(chain, core["settlement"])
    status, deprecated_at = reads.version_of(chain, models, core["message"]["modelVersion"])
    if status not in (_PUBLISHED, _DEPRECATED):
        return _say(chain, check, "refuted", "the model's version is unknown")
    if status == _DEPRECATED and time >= deprecated_at:
        return _say(chain, check, "refuted", "the model's version was deprecated")
    if not is_of_enclave(core):
        return _say(chain, check, "asserted", "the model's version was in use")
    registry = reads.tee_registry_of(chain, core["settlement"])
    if reads.was_in_service(chain, registry, core["message"]["teeId"], time):
        words = "enclave and model's version were in service"
        return _say(chain, check, "asserted", words)
    return _say(chain, check, "refuted", "the enclave was not in service, or is excluded now")


def ask_in_good_standing(chain: Chain, core: Core) -> Line:
    check: Check = "inGoodStanding"
    if is_of_enclave(core):
        registry = reads.tee_registry_of(chain, core["settlement"])
        if reads.is_active(chain, registry, core["message"]["teeId"]):
            return _say(chain, check, "asserted", "the enclave is active")
        return _say(chain, check, "refuted", "the enclave is not active")
    models = reads.model_registry_of(chain, core["settlement"])
    status, _ = reads.version_of(chain, models, core["message"]["modelVersion"])
    if status == _PUBLISHED:
        return _say(chain, check, "asserted", "the model's version is published")
    return _say(chain, check, "refuted", "the model's version is not published")


def ask_settled(chain: Chain, core: Core, pages: list[PageEvidence]) -> Line:
    settlement, request_id = core["settlement"], core["message"]["requestId"]
    if reads.is_settled(chain, settlement, request_id):
        kept = reads.digest_of(chain, settlement, request_id)
        if kept == reads.settled_digest(_TEE if is_of_enclave(core) else _ZKML, core):
            return _say(chain, "settled", "asserted", "this result was settled for good")
        if kept == _NOT_KEPT:
            reason = "the request is settled; the chain does not keep which result of it"
            return _say(chain, "settled", "unknown", reason)
        return _say(chain, "settled", "refuted", "another result of the request was settled")
    for page in pages:
        signature = signature_in_page(core, page)
        if signature is None:
            continue
        if not reads.is_ledger_writer(chain, settlement, page["pageSettlement"]):
            continue
        state = reads.state_in_page(chain, core, page, signature)
        if state < len(_STATES):
            return _say(chain, "settled", *_STATES[state])
        return _say(chain, "settled", "unknown", "the page is in no known state")
    return _say(chain, "settled", "unknown", "not settled yet")


def _say(chain: Chain, check: Check, status: Status, detail: str) -> Line:
    return line_of(check, status, detail, chain.source, chain.as_of)


def _time_of(core: Core, chain: Chain) -> int:
    """The time that the registry is asked about: nobody was in service in the future."""
    return min(int(core["message"]["timestamp"]), chain.block.time)
