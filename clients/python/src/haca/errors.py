"""What this package raises: a code for programs, and one line for people."""

from __future__ import annotations


class HacaError(Exception):
    """An error with a code that stays, as ``format.malformed``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class FormatError(HacaError):
    """Text that has not the form that is asked for; names path and reason."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__("format.malformed", f"{path}: {reason}")
        self.path = path


class ChainError(HacaError):
    """What an endpoint did not answer as it should."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"chain.{code}", message)


class EvidenceError(HacaError):
    """Bytes that the contracts do not read; ``error`` is the contracts' own name for it."""

    def __init__(self, error: str, offset: int, reason: str) -> None:
        super().__init__("evidence.malformed", f"byte {offset}: {reason}")
        self.error = error
        self.offset = offset
