"""What the registry's storage, and a node's record, say of an enclave."""

from __future__ import annotations

from dataclasses import dataclass

from ..hex_bytes import keccak, to_bytes, to_hex, word
from ..receipt.receipt import Core
from .state import WitnessState
from .storage_layout import StorageLayout, StoragePlace, entries_at, place_in, slot_in

_NODE = "ITEERegistryTypes.Node"
_APPROVAL = "TEEImages.Approval"
_ENTRY = "Histories.Entry"
_TERM = "TEENodes.Term"
_UNKNOWN = 0
_ENABLED_TO_RETIRED = (1, 2, 3)
_VERIFIER_SHIFT = 32
_STORE_PREFIX = 1
"""A code store's bytes stand behind a byte that ends whoever runs them."""
_IDENTITY_LENGTH = 94


@dataclass(frozen=True)
class Admission:
    """The enclave's image where it was in service, or why it was not."""

    image: str | None = None
    refused: str | None = None


class _Registry:
    """A registry's storage by names."""

    def __init__(self, state: WitnessState, address: bytes, places: tuple[StoragePlace, ...]) -> None:
        self._state, self._address, self._places = state, address, places

    def slot(self, place: int) -> int:
        return self._state.slot(self._address, place)

    def base(self, name: str, type_: str) -> int:
        return place_in(self._places, name, type_).slot

    def member(self, base: int, name: str, type_: str) -> int:
        place = place_in(self._places, name, type_)
        return place.field_of(self.slot(base + place.slot))


@dataclass(frozen=True)
class _Record:
    measurement: bytes
    verifier_id: int
    generation: int


def read_admission(state: WitnessState, core: Core, layout: StorageLayout) -> Admission:
    """As ``TEERegistry.wasInService`` answers, but for the certificates: whether one of them is revoked is in other contracts."""
    tee_id = to_bytes(core["message"]["teeId"])
    time = min(int(core["message"]["timestamp"]), state.block.time)
    link = place_in(layout.settlement, "teeRegistry", "contract ITEERegistry")
    linked = link.field_of(state.slot(to_bytes(core["settlement"]), link.slot))
    registry = _Registry(state, word(linked)[12:], layout.tee_registry)

    node = slot_in(registry.base("_nodes", f"mapping(bytes32 => struct {_NODE})"), tee_id)
    status = registry.member(node, f"{_NODE}.status", "enum ITEERegistryTypes.NodeStatus")
    if status == _UNKNOWN:
        return Admission(refused="the registry knows no such enclave")
    if status not in _ENABLED_TO_RETIRED:
        return Admission(refused="the enclave is excluded")
    if time < registry.member(node, f"{_NODE}.registeredAt", "uint48"):
        return Admission(refused="the enclave was registered later")
    store = registry.member(node, f"{_NODE}.record", "address")
    record = _read_record(state, word(store)[12:])

    histories = registry.base("_histories", f"mapping(bytes32 => struct {_ENTRY}[])")
    standing = _standing_at(registry, slot_in(histories, tee_id), time)
    if standing is None:
        generation = registry.member(node, f"{_NODE}.imageGeneration", "uint32")
        standing = (record.generation << _VERIFIER_SHIFT) + generation
    if standing == 0:
        return Admission(refused="the enclave was out of service")

    tee_type = registry.member(node, f"{_NODE}.teeType", "uint8")
    image = keccak(record.measurement, word(tee_type), word(record.verifier_id))
    if not _is_approved(registry, image, standing & ((1 << _VERIFIER_SHIFT) - 1), time):
        return Admission(refused=f"image {to_hex(record.measurement)} was not approved")
    operator = word(registry.member(node, f"{_NODE}.operator", "address"))
    denied = registry.base("isOperatorDenied", "mapping(address => bool)")
    if registry.slot(slot_in(denied, operator)) != 0:
        return Admission(refused="the enclave's operator is excluded")
    if not _has_verifier(registry, record.verifier_id, standing >> _VERIFIER_SHIFT, time):
        return Admission(refused="the enclave's verifier was another one")
    return Admission(image=to_hex(record.measurement))


def _is_approved(registry: _Registry, image: bytes, generation: int, time: int) -> bool:
    type_ = f"mapping(bytes32 => mapping(uint32 => struct {_APPROVAL}))"
    approval = slot_in(registry.base("_approvals", type_), image, word(generation))
    approved_at = registry.member(approval, f"{_APPROVAL}.approvedAt", "uint48")
    revoked_at = registry.member(approval, f"{_APPROVAL}.revokedAt", "uint48")
    return approved_at != 0 and approved_at <= time and (revoked_at == 0 or time < revoked_at)


def _has_verifier(registry: _Registry, verifier_id: int, following: int, time: int) -> bool:
    """Whether the verifier's term of this number, from 1 on, had begun by then and was not over."""
    terms = slot_in(
        registry.base("_terms", f"mapping(uint8 => struct {_TERM}[])"), word(verifier_id)
    )

    def since(number: int) -> int:
        return registry.member(entries_at(terms) + number, f"{_TERM}.from", "uint48")

    count = registry.slot(terms)
    is_over = following < count and time >= since(following)
    return 0 < following <= count and time >= since(following - 1) and not is_over


def _standing_at(registry: _Registry, place: int, time: int) -> int | None:
    """As ``Histories.valueAt``; None where nothing ever changed."""
    count = registry.slot(place)
    if count == 0:
        return None
    entry = entries_at(place)
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if registry.member(entry + middle, f"{_ENTRY}.from", "uint48") > time:
            high = middle
        else:
            low = middle + 1
    return 0 if low == 0 else registry.member(entry + low - 1, f"{_ENTRY}.value", "uint64")


def _read_record(state: WitnessState, store: bytes) -> _Record:
    """What ``NodeRecords`` keeps first."""
    code = state.code(store)
    if len(code) < _STORE_PREFIX + _IDENTITY_LENGTH:
        raise ValueError("a node without a record")
    data = code[_STORE_PREFIX:]
    return _Record(data[:32], data[84], int.from_bytes(data[85:89], "big"))
