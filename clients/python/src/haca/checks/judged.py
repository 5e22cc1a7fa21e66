"""How a check becomes a line, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Callable

from ..chain.open_chain import Chain
from ..errors import ChainError
from ..line import Check, Line, line_of


def judged(check: Check, look: Callable[[], Line]) -> Line:
    """Whatever is raised refutes."""
    try:
        return look()
    except Exception as error:
        return line_of(check, "refuted", words_of(error))


def asked(check: Check, chain: Chain | str, look: Callable[[Chain], Line]) -> Line:
    """What a chain says; unknown where it does not, whatever the reason."""
    if isinstance(chain, str):
        return line_of(check, "unknown", chain)
    try:
        return look(chain)
    except ChainError as error:
        return line_of(check, "unknown", words_of(error))
    except Exception as error:
        return line_of(check, "refuted", words_of(error))


def words_of(error: Exception) -> str:
    return str(error) or "failed for no reason that was given"
