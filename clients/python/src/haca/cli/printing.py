"""What people see: lines of 80 columns, a stranger's text without what a terminal would obey."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from typing import TextIO

from ..hex_bytes import to_hex
from ..legacy.receipt import LEGACY_MEDIA_TYPE, LegacyCore, LegacyReceipt, legacy_receipt_id
from ..line import AsOf, Line, Status
from ..receipt.receipt import Core, Receipt, SaltedText, Text, Words
from ..typed_data import receipt_id

_COLUMNS = 80
_INDENT = "    "
_STATUS_COLUMNS = 10
_COLOURS: dict[Status, int] = {"asserted": 32, "refuted": 31, "unknown": 33}
_DEFAULT_COLOUR = 39
_SHOWN_CHARACTERS = 2000
_LAST_SECOND = 8_640_000_000_000
_DAY = 86_400
_DAYS_OF_400_YEARS = 146_097


def is_coloured(stream: TextIO) -> bool:
    """Whether a stream is a person's terminal, who has not said that they want no colours (https://no-color.org)."""
    return stream.isatty() and os.environ.get("NO_COLOR", "") == ""


def printable(text: str) -> str:
    """A stranger's text for a terminal: what it would not show, or would obey, stands there by its number."""
    return "".join(
        f"\\u{{{ord(character):x}}}" if _is_unprintable(character) else character
        for character in text
    )


def wrapped(text: str) -> list[str]:
    """Text in lines of 80 columns, indented; what has no space is cut."""
    width = _COLUMNS - len(_INDENT)
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        rest = word
        while len(rest) > width:
            if line != "":
                lines.append(line)
            lines.append(rest[:width])
            line, rest = "", rest[width:]
        following = rest if line == "" else f"{line} {rest}"
        if len(following) > width:
            lines.append(line)
            line = rest
        else:
            line = following
    return [_INDENT + part for part in [*lines, line]]


def print_lines(lines: Sequence[Line], coloured: bool) -> list[str]:
    """A verification for people."""
    printed: list[str] = []
    for line in lines:
        padding = " " * (_STATUS_COLUMNS - len(line.status))
        head = f"{line.check} ({line.source}{_as_of_text(line.as_of)})"
        printed.append(f"{_colour(line.status, coloured)}{padding}{head}")
        printed.extend(wrapped(printable(line.detail)))
    return printed


def print_receipt(receipt: Receipt | LegacyReceipt) -> list[str]:
    """What a receipt says, for people; nothing of it was checked."""
    core = receipt["core"]
    is_of_legacy = receipt["mediaType"] == LEGACY_MEDIA_TYPE
    fields = [
        *(_legacy_fields(core) if is_of_legacy else _core_fields(core)),  # type: ignore[arg-type]
        ("input", _content(core["input"])),
        ("output", _content(core["output"])),
        ("evidence", ", ".join(item["type"] for item in receipt["evidence"]) or "none"),
        *((f"hint {name}", hint) for name, hint in receipt["hints"].items()),
    ]
    return [
        line for name, value in fields for line in [printable(name), *wrapped(printable(value))]
    ]


def _core_fields(core: Core) -> list[tuple[str, str]]:
    message = core["message"]
    return [
        ("receipt", to_hex(receipt_id(core))),
        ("chain", core["chainId"]),
        ("settlement", core["settlement"]),
        ("model version", message["modelVersion"]),
        ("request", message["requestId"]),
        ("requester", message["requester"]),
        ("price", message["price"]),
        ("answered", time_text(message["timestamp"])),
        ("enclave", "none" if core["key"] is None else message["teeId"]),
        ("session", core["session"] or "none"),
    ]


def _legacy_fields(core: LegacyCore) -> list[tuple[str, str]]:
    message = core["message"]
    return [
        ("receipt", to_hex(legacy_receipt_id(core))),
        ("profile", "legacy"),
        ("answered", time_text(message["timestamp"])),
        ("enclave", message["teeId"]),
    ]


def time_text(seconds: str) -> str:
    """A time of unix seconds for people; its number where no calendar has it."""
    number = int(seconds)
    if number > _LAST_SECOND:
        return seconds
    days, rest = divmod(number, _DAY)
    year, month, day = _date_of(days)
    hour, minute, second = rest // 3600, rest // 60 % 60, rest % 60
    written = f"{year:04d}" if year <= 9999 else f"+{year:06d}"
    return f"{written}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}Z"


def _date_of(days: int) -> tuple[int, int, int]:
    """Date of days since 1970, beyond what ``datetime`` has. Counts from March on, so that leap days come last."""
    shifted = days + 719_468
    era, day_of_era = divmod(shifted, _DAYS_OF_400_YEARS)
    leap_days = day_of_era // 1460 - day_of_era // 36_524 + day_of_era // 146_096
    year_of_era = (day_of_era - leap_days) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted_month + 2) // 5 + 1
    month = shifted_month + 3 if shifted_month < 10 else shifted_month - 9
    return year_of_era + 400 * era + (1 if month <= 2 else 0), month, day


def _content(part: Words | SaltedText | Text | None) -> str:
    if part is None:
        return "not in the receipt"
    if part["type"] == "words":
        return " ".join(part["words"])
    text = part["text"]
    return f"{text[:_SHOWN_CHARACTERS]} …" if len(text) > _SHOWN_CHARACTERS else text


def _is_unprintable(character: str) -> bool:
    """Controls, what changes the direction of writing, line separators, unused code points."""
    category = unicodedata.category(character)
    return category.startswith("C") or category in ("Zl", "Zp")


def _colour(status: Status, coloured: bool) -> str:
    return f"\x1b[{_COLOURS[status]}m{status}\x1b[{_DEFAULT_COLOUR}m" if coloured else status


def _as_of_text(as_of: AsOf) -> str:
    if as_of.type == "block":
        return f", block {as_of.number}"
    return "" if as_of.time is None else f", {time_text(as_of.time)}"
