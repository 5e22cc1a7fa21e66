"""``receipt verify`` and ``receipt show``."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..errors import FormatError
from ..hex_bytes import to_hex
from ..legacy.receipt import is_legacy, legacy_receipt_id, parse_legacy_receipt
from ..line import CHECKS, Check
from ..pins import Pins, read_pins
from ..policy import what_is_missing
from ..receipt.parse_receipt import parse_receipt
from ..receipt.receipt import Limits
from ..typed_data import receipt_id
from .printing import print_lines, print_receipt
from .read_input import UsageError, read_input

_PINS_LIMIT = 1024 * 1024


@dataclass(frozen=True)
class VerifyArguments:
    pins: str | None = None
    model: str | None = None
    rpc: tuple[str, ...] = ()
    block_hash: tuple[str, ...] = ()
    now: str | None = None
    registry: bool = False
    legacy: bool = False
    demand: tuple[str, ...] = ()
    json: bool = False


def verify_file(path: str, arguments: VerifyArguments, coloured: bool) -> tuple[bool, str]:
    """Whether the receipt is verified, and what is printed of it."""
    demands = [_read_check(name) for name in arguments.demand]
    now = None if arguments.now is None else _read_time(arguments.now)
    for url in arguments.rpc:
        _require_url(url)
    for hash_ in arguments.block_hash:
        _require_block_hash(hash_)
    pins = Pins() if arguments.pins is None else _pins_in(arguments.pins)
    data = read_input(path, Limits.RECEIPT)
    # What it needs takes longer to load than arguments to be looked at.
    from ..verify import verify

    lines = verify(
        data,
        pins=pins,
        model=arguments.model,
        rpcs=arguments.rpc,
        block_hashes=arguments.block_hash,
        now=now,
    )
    attestation = "registry" if arguments.registry else "direct"
    missing = what_is_missing(
        lines,
        attestation=attestation,  # type: ignore[arg-type]
        demands=demands,
        legacy=arguments.legacy,
    )
    is_verified = not missing
    name = _id_of(data)
    if arguments.json:
        whole = {
            "id": name,
            "isVerified": is_verified,
            "missing": missing,
            "lines": [line.to_json() for line in lines],
        }
        return is_verified, _json_text(whole)
    verdict = "verified" if is_verified else f"not verified, for: {', '.join(missing)}"
    text = [f"receipt {name or 'none'}", *print_lines(lines, coloured), verdict]
    return is_verified, "\n".join(text) + "\n"


def show_file(path: str, as_json: bool) -> str:
    """What the receipt says. Raises ``FormatError`` where it is none."""
    data = read_input(path, Limits.RECEIPT)
    receipt = parse_legacy_receipt(data) if is_legacy(data) else parse_receipt(data)
    if as_json:
        return _json_text(receipt)
    text = [*print_receipt(receipt), "nothing of this was checked: haca receipt verify"]
    return "\n".join(text) + "\n"


def _json_text(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _id_of(data: bytes) -> str | None:
    try:
        if is_legacy(data):
            return to_hex(legacy_receipt_id(parse_legacy_receipt(data)["core"]))
        return to_hex(receipt_id(parse_receipt(data)["core"]))
    except FormatError:
        return None


def _pins_in(path: str) -> Pins:
    data = read_input(path, _PINS_LIMIT)
    if len(data) > _PINS_LIMIT:
        raise UsageError(f"{path}: has more than {_PINS_LIMIT} bytes")
    try:
        return read_pins(data.decode("utf-8-sig", "replace"))
    except FormatError as error:
        raise UsageError(f"{path}: {error}") from None


def _read_check(name: str) -> Check:
    for check in CHECKS:
        if check == name:
            return check
    raise UsageError(f"--demand: {name} is no line; there are {', '.join(CHECKS)}")


def _read_time(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,12}", text):
        return int(text)
    raise UsageError(f"--now: must be unix seconds, got {text}")


def _require_block_hash(text: str) -> None:
    if not re.fullmatch(r"0x[0-9a-fA-F]{64}", text):
        raise UsageError(f"--block-hash: must be 0x and 64 digits of hex, got {text}")


def _require_url(text: str) -> None:
    try:
        parts = urlsplit(text)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_url = False
    if not is_url:
        raise UsageError("--rpc: must be an address that begins with http:// or https://")
