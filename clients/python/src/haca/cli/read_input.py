"""Files and standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from ..errors import HacaError


class UsageError(HacaError):
    """What a file cannot be read for, and what is wrong with arguments: the command ends with status 2."""

    def __init__(self, message: str) -> None:
        super().__init__("haca.usage", message)


def read_input(path: str, limit: int) -> bytes:
    """A file's bytes, of standard input for ``-``; as many as ``limit`` and one more at most."""
    try:
        if path == "-":
            return sys.stdin.buffer.read(limit + 1)
        with Path(path).open("rb") as file:
            return file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    if isinstance(error, PermissionError):
        return "reading it is not allowed"
    return "it cannot be read"
