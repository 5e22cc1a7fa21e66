"""Where contracts keep what, as the deployment file has it from solc."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import HacaError
from ..hex_bytes import keccak, word


@dataclass(frozen=True)
class StoragePlace:
    """Of a variable, or of a member of a struct from the struct's first slot on; offset and length in bytes from the right."""

    name: str
    type: str
    slot: int
    offset: int
    bytes: int

    def field_of(self, value: int) -> int:
        """The part of a word that it is."""
        return (value >> (8 * self.offset)) & ((1 << (8 * self.bytes)) - 1)


@dataclass(frozen=True)
class StorageLayout:
    """Of the contracts whose storage a witness shows."""

    settlement: tuple[StoragePlace, ...]
    tee_registry: tuple[StoragePlace, ...]


class LayoutError(HacaError):
    """A layout without a variable that is read, or with one of another type."""

    def __init__(self, name: str, type_: str) -> None:
        super().__init__("witness.layout", f"the deployment's storage has no {type_} {name}")


def place_in(places: tuple[StoragePlace, ...], name: str, type_: str) -> StoragePlace:
    found = [place for place in places if place.name == name]
    if len(found) == 1 and found[0].type == type_:
        return found[0]
    raise LayoutError(name, type_)


def slot_in(slot: int, *keys: bytes) -> int:
    """Slot of a mapping's value; of a mapping in it with further keys."""
    for key in keys:
        slot = int.from_bytes(keccak(key, word(slot)), "big")
    return slot


def entries_at(slot: int) -> int:
    """First slot of an array's entries."""
    return int.from_bytes(keccak(word(slot)), "big")
