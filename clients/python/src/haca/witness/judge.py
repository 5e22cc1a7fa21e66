"""The lines that witnesses give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..checks.of_message import MAXIMUM_CLOCK_SKEW, is_of_enclave
from ..line import AsOf, Line, Status, line_of
from ..receipt.receipt import Core, WitnessEvidence
from .read_admission import Admission, read_admission
from .read_fate import Fate, read_fate
from .state import Block, WitnessState
from .storage_layout import LayoutError, StorageLayout

_WITNESS = "witness"
_SAID: dict[Fate, tuple[Status, str]] = {
    "free": ("unknown", "not settled yet"),
    "held": ("unknown", "a page has the request; whether it is final stands elsewhere"),
    "some": ("unknown", "the request is settled; the chain does not show which result of it"),
    "settled": ("asserted", "this result was settled for good"),
    "other": ("refuted", "another result of the request was settled"),
}


@dataclass(frozen=True)
class WitnessLines:
    lines: list[Line]
    settled: Line
    """for where no chain is asked"""


@dataclass(frozen=True)
class _Seen:
    block: Block
    fate: Fate
    admission: Admission | None


def judge_witnesses(
    core: Core,
    witnesses: Sequence[WitnessEvidence],
    layout: StorageLayout | None,
    block_hashes: Sequence[str],
) -> WitnessLines:
    """What witnesses show, each of which has to hold under its own header; as of the latest block that the verifier vouches for."""
    if layout is None:
        return _nothing(core, "unknown", "the storage of the settlement is not pinned")
    try:
        seen = [_look(core, evidence, layout) for evidence in witnesses]
    except LayoutError as error:
        return _nothing(core, "unknown", str(error))
    except Exception as error:
        return _nothing(core, "refuted", str(error) or "the witness cannot be read")
    known = {hash_.lower() for hash_ in block_hashes}
    vouched = [one for one in seen if "0x" + one.block.hash.hex() in known]
    if not vouched:
        number = max(one.block.number for one in seen)
        return _nothing(core, "unknown", f"nobody vouches for block {number}")
    return _lines_of(core, max(vouched, key=lambda one: one.block.number))


def _look(core: Core, evidence: WitnessEvidence, layout: StorageLayout) -> _Seen:
    state = WitnessState(evidence)
    fate = read_fate(state, core, layout)
    admission = read_admission(state, core, layout) if is_of_enclave(core) else None
    state.require_used()
    return _Seen(state.block, fate, admission)


def _lines_of(core: Core, seen: _Seen) -> WitnessLines:
    block = seen.block
    as_of = AsOf("block", str(block.time), str(block.number), "0x" + block.hash.hex())
    lines = [
        line_of("witness", "asserted", "it shows the state of that block", _WITNESS, as_of)
    ]
    if seen.admission is not None:
        is_older = block.time + MAXIMUM_CLOCK_SKEW < int(core["message"]["timestamp"])
        lines.append(_older(as_of) if is_older else _admitted(seen.admission, as_of))
    return WitnessLines(lines, line_of("settled", *_SAID[seen.fate], _WITNESS, as_of))


def _older(as_of: AsOf) -> Line:
    return line_of("admitted", "unknown", "that block is older than the answer", _WITNESS, as_of)


def _admitted(admission: Admission, as_of: AsOf) -> Line:
    if admission.refused is not None:
        return line_of("admitted", "refuted", admission.refused, _WITNESS, as_of)
    words = (
        f"the enclave was in service, its image {admission.image} approved; its certificates were "
        "not looked at"
    )
    return line_of("admitted", "asserted", words, _WITNESS, as_of)


def _nothing(core: Core, status: Status, detail: str) -> WitnessLines:
    """Where a witness shows nothing."""
    reason = detail if status == "unknown" else "the witness does not hold"
    lines = [line_of("witness", status, detail)]
    if is_of_enclave(core):
        lines.append(line_of("admitted", "unknown", reason))
    return WitnessLines(lines, line_of("settled", "unknown", reason))
