"""A chain at one block, as several endpoints that agree say it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from ..errors import ChainError
from ..hex_bytes import to_bytes, to_hex
from ..line import AsOf
from .json_rpc import call_rpc

_HASH = re.compile(r"0x[0-9a-f]{64}")
_BYTES = re.compile(r"0x(?:[0-9a-f]{2})*")
_QUANTITY = re.compile(r"0x(?:0|[1-9a-f][0-9a-f]*)")

T = TypeVar("T")


@dataclass(frozen=True)
class Block:
    number: int
    hash: str
    time: int


class Chain:
    """The latest block that all endpoints have, by its hash (EIP-1898): with one of them, what it says is trusted."""

    def __init__(self, rpcs: Sequence[str], chain_id: str) -> None:
        """Raises ``ChainError``: without endpoints, of another chain, where one does not answer, or where they disagree."""
        if not rpcs:
            raise ChainError("none", "no RPC was given")
        self._rpcs = tuple(rpcs)
        for found in map(_quantity, self._all("eth_chainId", [])):
            if found != int(chain_id):
                raise ChainError("otherChain", f"an RPC is of chain {found}, not {chain_id}")
        number = min(map(_quantity, self._all("eth_blockNumber", [])))
        blocks = self._all("eth_getBlockByNumber", [hex(number), False])
        self.block = _agreed(list(map(_read_block, blocks)), "on a block")
        if self.block.number != number:
            raise ChainError("badAnswer", "an RPC answers with another block")
        self.as_of = AsOf(
            "block", number=str(number), hash=self.block.hash, time=str(self.block.time)
        )
        one = len(rpcs) == 1
        self.source = "trusts 1 RPC" if one else f"{len(rpcs)} RPCs that agree"

    def call(self, to: str, data: bytes) -> bytes:
        """What a contract answers there; raises ``ChainError`` where one endpoint does not answer, or answers something else."""
        at = {"blockHash": self.block.hash, "requireCanonical": True}
        answers = self._all("eth_call", [{"to": to, "data": to_hex(data)}, at])
        return to_bytes(_agreed(list(map(_read_bytes, answers)), "on what a contract answers"))

    def _all(self, method: str, params: list[Any]) -> list[Any]:
        with ThreadPoolExecutor(len(self._rpcs)) as pool:
            return list(pool.map(lambda url: call_rpc(url, method, params), self._rpcs))


def _agreed(answers: list[T], about: str) -> T:
    if all(answer == answers[0] for answer in answers):
        return answers[0]
    raise ChainError("disagreement", f"the RPCs do not agree {about}")


def _quantity(value: object) -> int:
    if isinstance(value, str) and _QUANTITY.fullmatch(value.lower()):
        return int(value, 16)
    raise ChainError("badAnswer", "an RPC answers no number where one belongs")


def _read_block(value: object) -> Block:
    fields = value if isinstance(value, dict) else {}
    found = fields.get("hash")
    if not isinstance(found, str) or not _HASH.fullmatch(found.lower()):
        raise ChainError("badAnswer", "an RPC does not have a block that another has")
    number, time = _quantity(fields.get("number")), _quantity(fields.get("timestamp"))
    return Block(number, found.lower(), time)


def _read_bytes(value: object) -> str:
    if isinstance(value, str) and _BYTES.fullmatch(value.lower()):
        return value.lower()
    raise ChainError("badAnswer", "an RPC answers no bytes where some belong")
