"""The vectors of docs/receipts, and what receipts are verified with."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from haca import Line, Pins, read_pins, verify

ROOT = Path(__file__).parents[3]
VECTORS = json.loads((ROOT / "docs/receipts/vectors/receipts.json").read_text("utf-8"))
PINS: Pins = read_pins(json.dumps(VECTORS["pins"]))
NOW = int(VECTORS["now"])
BLOCK_HASHES: list[str] = VECTORS["blockHashes"]
IS_DEEP = os.environ.get("HACA_DEEP") == "1"


_known: dict[bytes, list[Line]] = {}


def verified(receipt: bytes) -> list[Line]:
    """The lines of a receipt with the vectors' pins; proofs take long, and are looked at once."""
    if receipt not in _known:
        _known[receipt] = verify(receipt, pins=PINS, now=NOW, block_hashes=BLOCK_HASHES)
    return _known[receipt]


def is_known(receipt: bytes) -> bool:
    """Whether the tests of the vectors have looked at it."""
    return receipt in _known


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The vectors first: what they have verified is compared with others' lines after."""
    items.sort(key=lambda item: item.path.name != "test_vectors.py")


def text_of(name: str) -> str:
    return next(good["receipt"] for good in VECTORS["good"] if good["name"] == name)


def change_at(value: Any, path: list[str | int], by: Any) -> Any:
    """A value of JSON with another value in one place."""
    if not path:
        return by
    changed = value.copy()
    before = value.get(path[0]) if isinstance(value, dict) else value[path[0]]  # type: ignore[index]
    changed[path[0]] = change_at(before, path[1:], by)
    return changed


@pytest.fixture(scope="session")
def cases() -> dict[str, Any]:
    """What the contracts and the TypeScript verifier say, which `npm test` writes."""
    path = os.environ.get("HACA_CASES")
    if path is None:
        pytest.skip("HACA_CASES names no file of cases")
    found: dict[str, Any] = json.loads(Path(path).read_text("utf-8"))
    return found
