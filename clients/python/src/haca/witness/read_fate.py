"""What the settlement's storage says of a request."""

from __future__ import annotations

from typing import Literal

from ..chain.contract_reads import settled_digest
from ..checks.of_message import is_of_enclave
from ..hex_bytes import to_bytes, word
from ..page import place_of
from ..receipt.receipt import Core
from .state import WitnessState
from .storage_layout import StorageLayout, entries_at, place_in, slot_in

Fate = Literal["free", "held", "some", "settled", "other"]
"""``held``: a page has it, whose own contract says whether it is final."""

_MAXIMUM_WRITERS = 16
_BITMAPS = "mapping(uint256 => uint256)"
_BITMAPS_OF_WRITERS = f"mapping(address => {_BITMAPS})"
_ZKML, _TEE = 1, 2


def read_fate(state: WitnessState, core: Core, layout: StorageLayout) -> Fate:
    """As ``RequestLedger.isSettled``, then ``digestOf``, answer."""
    settlement, request_id = to_bytes(core["settlement"]), core["message"]["requestId"]
    ledger_page, index = place_of(request_id)

    def at(name: str, type_: str) -> int:
        return place_in(layout.settlement, name, type_).slot

    def has_bit(place: int, bit: int) -> bool:
        return (state.slot(settlement, place) >> bit) & 1 == 1

    page = word(ledger_page)
    if not has_bit(slot_in(at("_pages", _BITMAPS), page), index):
        return "free"
    writers = at("_writers", "address[]")
    count = state.slot(settlement, writers)
    if count > _MAXIMUM_WRITERS:
        raise ValueError("the ledger has more writers than it can have")
    for number in range(count):
        writer = word(state.slot(settlement, entries_at(writers) + number))
        group = word(ledger_page >> 8)
        if has_bit(
            slot_in(at("_heldWhole", _BITMAPS_OF_WRITERS), writer, group), ledger_page & 0xFF
        ):
            return "held"
        if has_bit(slot_in(at("_held", _BITMAPS_OF_WRITERS), writer, page), index):
            return "held"
    digests = at("digestOf", "mapping(bytes32 => bytes32)")
    kept = state.slot(settlement, slot_in(digests, to_bytes(request_id)))
    if kept == 0:
        return "some"
    expected = settled_digest(_TEE if is_of_enclave(core) else _ZKML, core)
    return "settled" if word(kept) == expected else "other"
