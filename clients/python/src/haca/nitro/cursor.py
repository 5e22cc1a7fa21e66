"""A reader over a part of some bytes."""

from __future__ import annotations


class Cursor:
    """Whoever moves it has compared with ``remaining`` first."""

    def __init__(self, data: bytes, position: int = 0, end: int | None = None) -> None:
        self.data = data
        self.position = position
        self.end = len(data) if end is None else end

    @property
    def remaining(self) -> int:
        return self.end - self.position

    @property
    def next(self) -> int | None:
        """The next byte, without moving; None at the end."""
        return self.data[self.position] if self.remaining > 0 else None

    def peek_number(self, size: int) -> int:
        """The next ``size`` bytes as a big-endian number, without moving."""
        return int.from_bytes(self.data[self.position : self.position + size], "big")

    def take(self, size: int) -> bytes:
        part = self.data[self.position : self.position + size]
        self.position += size
        return part

    def rest(self) -> bytes:
        return self.take(self.remaining)
