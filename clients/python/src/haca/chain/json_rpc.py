"""One JSON-RPC call: no redirections, bounded time and bytes."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from http.client import HTTPException, HTTPResponse
from typing import Any, NoReturn
from urllib.error import HTTPError
from urllib.parse import urlsplit

from ..errors import ChainError
from ..json_text import parse_json

_TIME_LIMIT = 20.0
_BYTE_LIMIT = 4 * 1024 * 1024
_CHUNK = 65_536
_SHOWN_CHARACTERS = 200
_DEFAULT_PORTS = {"http": 80, "https": 443}


class _NoRedirections(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> NoReturn:
        raise OSError("a redirection")


_OPENER = urllib.request.build_opener(_NoRedirections)


def call_rpc(url: str, method: str, params: list[Any]) -> Any:
    """Raises ``ChainError``: ``unreachable``, ``badAnswer``, or ``refused`` with the endpoint's own words."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = _parse(_post(url, json.dumps(body).encode()), url)
    if "error" in answer:
        error = answer["error"]
        message = error.get("message", "undefined") if isinstance(error, dict) else ""
        words = re.sub(r"[^\x20-\x7e]+", " ", str(message))[:_SHOWN_CHARACTERS]
        raise ChainError("refused", f"{_host_of(url)} refused {method}: {words}")
    if "result" not in answer:
        raise ChainError("badAnswer", f"{_host_of(url)} answers no JSON-RPC")
    return answer["result"]


def _post(url: str, body: bytes) -> bytes:
    deadline = time.monotonic() + _TIME_LIMIT
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    try:
        try:
            response = _OPENER.open(request, timeout=_TIME_LIMIT)
        except HTTPError as refusal:
            # Endpoints say with JSON what they refuse, whatever the status.
            return _read_bounded(refusal, deadline)
        with response:
            return _read_bounded(response, deadline)
    except (OSError, ValueError, HTTPException):
        raise ChainError("unreachable", f"{_host_of(url)} does not answer") from None


def _read_bounded(response: HTTPResponse | HTTPError, deadline: float) -> bytes:
    data = bytearray()
    while chunk := response.read1(_CHUNK):
        data += chunk
        if len(data) > _BYTE_LIMIT:
            raise ChainError("badAnswer", "an endpoint's answer does not end")
        if time.monotonic() > deadline:
            raise OSError("too late")
    return bytes(data)


def _parse(text: bytes, url: str) -> dict[str, Any]:
    try:
        answer = parse_json(text.decode("utf-8", "replace"))
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        return answer
    raise ChainError("badAnswer", f"{_host_of(url)} answers no JSON-RPC")


def _host_of(url: str) -> str:
    """Where it goes, without keys that are in the path."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "an address that is none"
    host = parts.hostname or "an address that is none"
    return host if port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{port}"
