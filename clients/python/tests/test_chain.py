"""Lines of a chain, of endpoints on this machine that answer by function."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from conftest import NOW, PINS, text_of

from haca import Line, is_verified, parse_receipt, verify
from haca.chain.contract_reads import settled_digest
from haca.hex_bytes import keccak, word

HASH = f"0x{'ab' * 32}"
REGISTRY = word(0xEE << 8)
MODELS = word(0xDD << 8)
FUNCTIONS = {
    "teeRegistry()": [REGISTRY],
    "modelRegistry()": [MODELS],
    "settlementData(bytes32)": [word(1), REGISTRY, word(2), word(1), word(0)],
    "wasInService(bytes32,uint256)": [word(1)],
    "isTEEActive(bytes32)": [word(1)],
    "sessionKey(bytes32,address)": [word(NOW - 1000), word(NOW), word(1)],
    "isSettled(bytes32)": [word(0)],
    "digestOf(bytes32)": [word(0)],
    "isLedgerWriter(address)": [word(1)],
}
Answer = Callable[[str, list[Any]], Any]


def honest(number: int = 100, **changes: list[bytes]) -> Answer:
    """A chain's answers; changes are by the functions' names."""
    selectors = {
        keccak(name.encode())[:4].hex(): changes.get(name.partition("(")[0], words)
        for name, words in FUNCTIONS.items()
    }

    def answer(method: str, params: list[Any]) -> Any:
        if method == "eth_chainId":
            return hex(31_337)
        if method == "eth_blockNumber":
            return hex(number)
        if method == "eth_getBlockByNumber":
            return {"number": params[0], "hash": HASH, "timestamp": hex(NOW)}
        assert params[1] == {"blockHash": HASH, "requireCanonical": True}
        words = selectors.get(params[0]["data"][2:10])
        # The one that is left is verifyInclusion.
        words = [word(2), word(0), word(0)] if words is None else words
        return "0x" + b"".join(words).hex()

    return answer


@contextmanager
def served(write: Callable[[BaseHTTPRequestHandler, bytes], None]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            write(self, self.rfile.read(int(self.headers["content-length"])))

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def reply(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    handler.send_response(status)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def endpoint(answer: Answer) -> Any:
    def write(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        asked = json.loads(body)
        result = answer(asked["method"], asked["params"])
        reply(handler, json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode())

    return served(write)


def asked(name: str, *answers: Answer) -> dict[str, Line]:
    with ExitStack() as stack:
        rpcs = [stack.enter_context(endpoint(answer)) for answer in answers]
        lines = verify(text_of(name), pins=PINS, now=NOW, rpcs=rpcs)
    return {line.check: line for line in lines}


def test_a_chain_is_asked_at_one_block_and_the_lines_say_which() -> None:
    lines = asked("teeP256InPage", honest(101), honest(100), honest(102))
    of_chain = [line for line in lines.values() if line.as_of.type == "block"]
    assert [(line.check, line.status, line.source) for line in of_chain] == [
        (check, "asserted", "3 RPCs that agree")
        for check in ("validWhenAnswered", "inGoodStanding", "settled")
    ]
    as_of = {"type": "block", "number": "100", "hash": HASH, "time": str(NOW)}
    assert of_chain[0].as_of.to_json() == as_of
    assert is_verified(list(lines.values()), attestation="registry", demands=["settled"])


def test_one_endpoint_is_trusted_by_name_and_a_session_is_its_to_say() -> None:
    line = asked("teeSession", honest())["session"]
    assert (line.status, line.source) == ("asserted", "trusts 1 RPC")
    uncertified = asked("teeSession", honest(sessionKey=[word(0), word(0), word(0)]))["session"]
    assert uncertified.status == "refuted"


@pytest.mark.parametrize(
    ("name", "check", "changes", "status"),
    [
        ("teeRsa", "validWhenAnswered", {"wasInService": [word(0)]}, "refuted"),
        ("teeRsa", "inGoodStanding", {"isTEEActive": [word(0)]}, "refuted"),
        ("vanilla", "validWhenAnswered", {"settlementData": [word(0)] * 5}, "refuted"),
        ("vanilla", "inGoodStanding", {"settlementData": [word(2)] + [word(NOW)] * 4}, "refuted"),
        ("vanilla", "validWhenAnswered", {"settlementData": [word(2)] + [word(NOW)] * 4}, "asserted"),
        ("teeRsa", "settled", {}, "unknown"),
        ("teeRsa", "settled", {"isSettled": [word(1)]}, "unknown"),
        ("teeRsa", "settled", {"isSettled": [word(1)], "digestOf": [word(1)]}, "refuted"),
        ("teeRsa", "validWhenAnswered", {"wasInService": [word(2)]}, "unknown"),
        ("teeRsa", "validWhenAnswered", {"wasInService": []}, "unknown"),
        ("teeRsa", "validWhenAnswered", {"teeRegistry": [word(0)]}, "unknown"),
    ],
    ids=range(11),
)
def test_lines_are_what_the_chain_says(
    name: str, check: str, changes: dict[str, list[bytes]], status: str
) -> None:
    assert asked(name, honest(**changes))[check].status == status


def test_a_result_that_was_settled_for_good_is() -> None:
    digest = settled_digest(2, parse_receipt(text_of("teeRsa"))["core"])
    lines = asked("teeRsa", honest(isSettled=[word(1)], digestOf=[digest]))
    assert lines["settled"].status == "asserted"


def override(method: str, result: Any) -> Answer:
    return lambda name, params: result if name == method else honest()(name, params)


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        (honest(wasInService=[word(0)]), "do not agree on what a contract answers"),
        (override("eth_chainId", "0x1"), "is of chain 1, not 31337"),
        (override("eth_blockNumber", "100"), "answers no number"),
        (override("eth_getBlockByNumber", None), "does not have a block"),
        (override("eth_call", None), "answers no bytes"),
    ],
    ids=range(5),
)
def test_nothing_is_said_where_one_of_several_lies(lie: Answer, reason: str) -> None:
    line = asked("teeRsa", honest(), lie)["validWhenAnswered"]
    assert (line.status, line.source) == ("unknown", "nobody")
    assert reason in line.detail


def redirect(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.send_response(307)
    handler.send_header("location", "http://127.0.0.1/")
    handler.end_headers()


def endless(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" " * 65_536)
    except OSError:
        return


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda handler, _: reply(handler, b"<html>"), "answers no JSON-RPC"),
        (lambda handler, _: reply(handler, b"[" * 200_000), "answers no JSON-RPC"),
        (
            lambda handler, _: reply(handler, b'{"error":{"message":"no\\u001b[31m"}}', 403),
            "refused eth_chainId: no [31m",
        ),
        (redirect, "does not answer"),
        (endless, "does not end"),
        (lambda handler, _: handler.close_connection, "does not answer"),
    ],
    ids=range(6),
)
def test_an_answer_that_is_none_says_nothing(write: Any, reason: str) -> None:
    with served(write) as url:
        lines = verify(text_of("teeRsa"), pins=PINS, now=NOW, rpcs=[url])
    line = next(line for line in lines if line.check == "validWhenAnswered")
    assert line.status == "unknown"
    assert reason in line.detail


def test_a_settlement_that_is_not_pinned_is_not_asked() -> None:
    lines = verify(text_of("teeRsa"), now=NOW, rpcs=["http://127.0.0.1:1"])
    line = next(line for line in lines if line.check == "settled")
    assert line.detail == "a settlement that is not pinned is not asked"
