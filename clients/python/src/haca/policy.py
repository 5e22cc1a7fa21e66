"""What an answer has to have shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from .line import CHECKS, Check, Line

Attestation = Literal["direct", "registry"]
"""Where it is known from that a key is in an enclave that counts: ``direct`` demands the attestation
document and an image that is pinned, ``registry`` takes what the registry says at the RPCs."""

_ALWAYS: tuple[Check, ...] = ("form", "contract", "time", "request", "model", "signature")
_NOT_OF_LEGACY: tuple[Check, ...] = ("contract", "request", "model")
"""What the profile ``legacy`` does not sign."""
_LATER: tuple[Check, ...] = ("inGoodStanding", "settled")


def is_verified(
    lines: Sequence[Line],
    *,
    attestation: Attestation = "direct",
    demands: Sequence[Check] = (),
    legacy: bool = False,
) -> bool:
    """Whether every line that the policy demands is asserted, and none of what was checked is refuted.

    An answer of an enclave needs its key and attestation, one of a node its proof: a node's word alone is never
    verified. What happened to node or request later (``inGoodStanding``, ``settled``) takes nothing back of an answer;
    who wants it demands it. ``legacy`` takes answers of that profile, of which neither chain, contract and request nor the
    model's version is signed.
    """
    return not what_is_missing(lines, attestation=attestation, demands=demands, legacy=legacy)


def what_is_missing(
    lines: Sequence[Line],
    *,
    attestation: Attestation = "direct",
    demands: Sequence[Check] = (),
    legacy: bool = False,
) -> tuple[Check, ...]:
    """The checks for which an answer is not verified: refuted, or demanded and not asserted."""
    present = {line.check for line in lines}
    of_kind: tuple[Check, ...] = ("input", "output", "proof")
    if "key" in present:
        of_kind = ("key", "attestation" if attestation == "direct" else "validWhenAnswered")
    of_session: tuple[Check, ...] = ("session",) if "session" in present else ()
    unsigned = _NOT_OF_LEGACY if legacy and "coverage" in present else ()
    always = [check for check in _ALWAYS if check not in unsigned]
    demanded = {*always, *of_kind, *of_session, *demands}

    def is_missing(check: Check) -> bool:
        statuses = [line.status for line in lines if line.check == check]
        is_asserted = bool(statuses) and all(status == "asserted" for status in statuses)
        is_refuted = "refuted" in statuses and check not in _LATER
        return is_refuted or (check in demanded and not is_asserted)

    return tuple(check for check in CHECKS if is_missing(check))
