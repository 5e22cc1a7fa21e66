"""What a verification answers with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Check = Literal[
    "form",
    "contract",
    "time",
    "request",
    "model",
    "coverage",
    "input",
    "output",
    "key",
    "signature",
    "session",
    "attestation",
    "proof",
    "page",
    "witness",
    "admitted",
    "validWhenAnswered",
    "inGoodStanding",
    "settled",
]
"""What is looked at, in the order in which lines are printed; docs/sdk.md says what each is worth."""

CHECKS: tuple[Check, ...] = get_args(Check)

Status = Literal["asserted", "refuted", "unknown"]
"""``unknown``: could not be looked at, or nobody said so. Whatever fails in a check refutes it."""

COMPUTED = "own computation"
PINS = "pins"
NOBODY = "nobody"


@dataclass(frozen=True)
class AsOf:
    """As of when a line is so: a block, a second (unix), or always."""

    type: Literal["always", "time", "block"]
    time: str | None = None
    number: str | None = None
    hash: str | None = None

    def to_json(self) -> dict[str, str]:
        named = {"type": self.type, "number": self.number, "hash": self.hash, "time": self.time}
        return {name: value for name, value in named.items() if value is not None}


ALWAYS = AsOf("always")


def at_time(seconds: int) -> AsOf:
    return AsOf("time", time=str(seconds))


@dataclass(frozen=True)
class Line:
    """One line of a verification: what was checked, by what, as of when."""

    check: Check
    status: Status
    detail: str
    """a sentence for people"""
    source: str
    """"own computation", "pins", "2 RPCs that agree", "trusts 1 RPC", "witness", "nobody" """
    as_of: AsOf

    def to_json(self) -> dict[str, object]:
        return {
            "check": self.check,
            "status": self.status,
            "detail": self.detail,
            "source": self.source,
            "asOf": self.as_of.to_json(),
        }


def line_of(
    check: Check,
    status: Status,
    detail: str,
    source: str | None = None,
    as_of: AsOf = ALWAYS,
) -> Line:
    """A line that is so whenever it is looked at, unless something else is said."""
    by = NOBODY if status == "unknown" else COMPUTED
    return Line(check, status, detail, by if source is None else source, as_of)
