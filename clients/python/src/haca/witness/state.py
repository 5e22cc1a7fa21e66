"""The state of a chain at one block, as a witness shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..hex_bytes import keccak, to_bytes, word
from ..receipt.receipt import WitnessEvidence
from .rlp import RlpList, decode_rlp, fixed, number_of
from .trie import value_in_trie

_NO_CODE = keccak(b"")
_STATE_ROOT, _NUMBER, _TIME = 3, 8, 11
_LEAST_FIELDS, _MOST_FIELDS = 15, 32
_ACCOUNT_FIELDS = 4


@dataclass(frozen=True)
class Block:
    number: int
    hash: bytes
    time: int
    state_root: bytes


class WitnessState:
    """Under the header's own root: whether that block is one of the chain is not asked here. Raises ``ValueError`` for what
    is not shown, and for what is not as a chain writes it."""

    def __init__(self, evidence: WitnessEvidence) -> None:
        self._nodes = _by_hash(evidence["nodes"])
        self._codes = _by_hash(evidence["codes"])
        self._used: set[bytes] = set()
        self.block = _read_header(to_bytes(evidence["header"]))

    def slot(self, contract: bytes, place: int) -> int:
        """A word of a contract's storage; zero where there is none."""
        account = self._account_of(contract)
        if account is None:
            return 0
        written = value_in_trie(account[0], word(place), self._node_of)
        # A zero that is stored is one all the same: some local chains keep them.
        return 0 if written is None else number_of(decode_rlp(written))

    def code(self, contract: bytes) -> bytes:
        """A contract's code; nothing where there is none."""
        account = self._account_of(contract)
        if account is None or account[1] == _NO_CODE:
            return b""
        return self._take(self._codes, account[1])

    def require_used(self) -> None:
        """Raises where a node or a code is left that nothing led to."""
        if len(self._used) != len(self._nodes) + len(self._codes):
            raise ValueError("the witness has a part that nothing leads to")

    def _node_of(self, hash_: bytes) -> bytes:
        return self._take(self._nodes, hash_)

    def _take(self, parts: dict[bytes, bytes], hash_: bytes) -> bytes:
        found = parts.get(hash_)
        if found is None:
            raise ValueError("the witness does not show all that is asked of it")
        self._used.add((b"n" if parts is self._nodes else b"c") + hash_)
        return found

    def _account_of(self, address: bytes) -> tuple[bytes, bytes] | None:
        """The root of its storage, and the hash of its code."""
        written = value_in_trie(self.block.state_root, address, self._node_of)
        if written is None:
            return None
        account = decode_rlp(written)
        if not isinstance(account, RlpList) or len(account.items) != _ACCOUNT_FIELDS:
            raise ValueError("an account of other fields")
        nonce, balance, storage_root, code_hash = account.items
        number_of(nonce)
        number_of(balance)
        return fixed(storage_root, 32), fixed(code_hash, 32)


def _by_hash(parts: Sequence[str]) -> dict[bytes, bytes]:
    found = {keccak(data): data for data in map(to_bytes, parts)}
    if len(found) != len(parts):
        raise ValueError("the witness has a part twice")
    return found


def _read_header(header: bytes) -> Block:
    fields = decode_rlp(header)
    if not isinstance(fields, RlpList) or any(isinstance(item, RlpList) for item in fields.items):
        raise ValueError("the header is no list of bytes")
    items = fields.items
    if not _LEAST_FIELDS <= len(items) <= _MOST_FIELDS:
        raise ValueError("the header has another number of fields than a block's")
    number, time = number_of(items[_NUMBER]), number_of(items[_TIME])
    if (number | time) >> 64 != 0:
        raise ValueError("the header's number or time is too large")
    return Block(number, keccak(header), time, fixed(items[_STATE_ROOT], 32))
