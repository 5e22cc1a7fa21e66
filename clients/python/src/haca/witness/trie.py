"""Merkle-Patricia tries whose keys are hashes; what is not written as the protocol writes it raises ``ValueError``."""

from __future__ import annotations

from collections.abc import Callable

from ..hex_bytes import keccak
from .rlp import Rlp, RlpList, decode_rlp

NodeSource = Callable[[bytes], bytes]
"""A trie's node by its hash; raises where there is none."""

_HASH_LENGTH = 32
_BRANCH_ITEMS = 17
_EMPTY_ROOT = keccak(b"\x80")


def value_in_trie(root: bytes, key: bytes, node_of: NodeSource) -> bytes | None:
    """What a trie has under the hash of ``key``; None where it is shown to have nothing."""
    if root == _EMPTY_ROOT:
        return None
    return _find(_as_node(decode_rlp(node_of(root))), _nibbles_of(keccak(key)), node_of)


def _find(node: RlpList, path: bytes, node_of: NodeSource) -> bytes | None:
    items = node.items
    if len(items) == _BRANCH_ITEMS:
        _require_branch(items, path)
        child = items[path[0]]
        return None if child == b"" else _find(_referred(child, node_of), path[1:], node_of)
    written, behind = items
    is_leaf, nibbles = _path_of(written)
    if is_leaf:
        if len(nibbles) != len(path) or not isinstance(behind, bytes) or behind == b"":
            raise ValueError("trie: a leaf of another length, or without a value")
        return behind if nibbles == path else None
    if not 0 < len(nibbles) < len(path) or not _is_reference(behind):
        raise ValueError("trie: an extension that leads nowhere")
    if not path.startswith(nibbles):
        return None
    following = _referred(behind, node_of)
    if len(following.items) != _BRANCH_ITEMS:
        raise ValueError("trie: an extension before no branch")
    return _find(following, path[len(nibbles) :], node_of)


def _is_reference(value: Rlp) -> bool:
    """A hash, or a node that is shorter than one."""
    if isinstance(value, RlpList):
        return value.size < _HASH_LENGTH
    return len(value) == _HASH_LENGTH


def _require_branch(items: tuple[Rlp, ...], path: bytes) -> None:
    children = [child for child in items[:-1] if child != b""]
    is_sound = len(path) > 0 and len(children) > 1 and all(map(_is_reference, children))
    if not is_sound or items[-1] != b"":
        raise ValueError("trie: a branch that cannot be one")


def _referred(value: Rlp, node_of: NodeSource) -> RlpList:
    if not _is_reference(value):
        raise ValueError("trie: no node where one belongs")
    if isinstance(value, RlpList):
        return _as_node(value)
    data = node_of(value)
    if len(data) < _HASH_LENGTH:
        raise ValueError("trie: a hash of a node that is shorter")
    return _as_node(decode_rlp(data))


def _as_node(value: Rlp) -> RlpList:
    if isinstance(value, RlpList) and len(value.items) in (2, _BRANCH_ITEMS):
        return value
    raise ValueError("trie: no node where one belongs")


def _path_of(value: Rlp) -> tuple[bool, bytes]:
    """Nibbles with two flags before them: whether it is a leaf's, and whether their number is odd."""
    if not isinstance(value, bytes) or value == b"":
        raise ValueError("trie: no path where one belongs")
    nibbles = _nibbles_of(value)
    flags = nibbles[0]
    is_odd = flags & 1 == 1
    if flags > 3 or (not is_odd and nibbles[1] != 0):
        raise ValueError("trie: a path with other flags")
    return flags > 1, nibbles[1 if is_odd else 2 :]


def _nibbles_of(data: bytes) -> bytes:
    return bytes(nibble for byte in data for nibble in (byte >> 4, byte & 0xF))
