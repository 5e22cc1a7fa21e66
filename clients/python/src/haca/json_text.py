"""Strangers' JSON."""

from __future__ import annotations

import json
import re

# A text whole, or up to the end where it does not close; or what opens and closes.
_TOKEN = re.compile(r'"(?:[^"\\]+|\\.)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_MAXIMUM_DEPTH = 64


def parse_json(written: str) -> object:
    """A value of JSON; numbers are floats, as nothing that is read here has others. Raises ``ValueError``."""
    # The standard library's parser calls itself, and py_ecc has lifted the limit that keeps it from the end of the stack.
    _require_depth(written)
    value: object = json.loads(
        written, parse_int=float, parse_float=float, parse_constant=_refuse_constant
    )
    return value


def _require_depth(written: str) -> None:
    depth = 0
    for found in _TOKEN.finditer(written):
        token = found.group()[:1]
        if token in "[{":
            depth += 1
        elif token in "]}":
            depth -= 1
        if depth > _MAXIMUM_DEPTH:
            raise ValueError("nested too deeply")


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
