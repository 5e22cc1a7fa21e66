"""What a receipt's core says by itself, and with pins. Whatever is raised here refutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..hex_bytes import keccak, to_bytes, to_hex
from ..line import PINS, Check, Line, at_time, line_of
from ..pins import Pins
from ..receipt.receipt import Core
from ..signatures import is_signed_by_key, recover_account
from ..typed_data import hash_words, receipt_id

if TYPE_CHECKING:
    from ..legacy.receipt import LegacyCore

MAXIMUM_CLOCK_SKEW = 60
"""How far a clock may be behind the one that dated the answer, in seconds."""


def is_of_enclave(core: Core) -> bool:
    return int(core["message"]["teeId"], 16) != 0


def node_of(core: Core) -> str:
    """The account in whose nonces the request is."""
    return core["message"]["requestId"][:42]


def check_contract(core: Core, pins: Pins) -> Line:
    where = f"settlement {core['settlement']} on chain {core['chainId']}"
    if pins.has_settlement(core["chainId"], core["settlement"]):
        return line_of("contract", "asserted", f"{where} is pinned", PINS)
    return line_of("contract", "unknown", f"{where} is not pinned")


def check_time(core: Core | LegacyCore, now: int) -> Line:
    time = int(core["message"]["timestamp"])
    if time > now + MAXIMUM_CLOCK_SKEW:
        return line_of("time", "refuted", "the answer is from the future", as_of=at_time(now))
    return line_of(
        "time", "asserted", f"answered at {time}, by the node's clock", as_of=at_time(now)
    )


def check_request(core: Core) -> Line:
    node = node_of(core)
    if not is_of_enclave(core):
        return line_of("request", "asserted", f"request of node {node}")
    if "0x" + core["message"]["teeId"][26:] == node:
        return line_of("request", "asserted", "the request is the enclave's own")
    return line_of("request", "refuted", "the request is another node's than the enclave's")


def check_model(core: Core, pins: Pins, name: str | None) -> Line:
    """``name`` of the pinned model that is asked for; any of the pinned ones if left out."""
    version = core["message"]["modelVersion"]
    found = pins.model_of(version, name)
    if found is not None:
        return line_of("model", "asserted", f"the version is {found[0]}", PINS)
    if name is not None and name in pins.models:
        return line_of("model", "refuted", f"version {version} is not {name}", PINS)
    wanted = f"model of version {version}" if name is None else f"model {name}"
    return line_of("model", "unknown", f"no {wanted} is pinned")


def check_input(core: Core) -> Line:
    content = core["input"]
    if content is None:
        return not_there("input")
    if content["type"] == "words":
        actual = hash_words(content["words"])
    else:
        actual = keccak(to_bytes(content["salt"]), content["text"].encode())
    return compared("input", actual, core["message"]["inputHash"])


def check_output(core: Core) -> Line:
    content = core["output"]
    if content is None:
        return not_there("output")
    if content["type"] == "words":
        actual = hash_words(content["words"])
    else:
        actual = keccak(content["text"].encode())
    return compared("output", actual, core["message"]["outputHash"])


def check_key(core: Core | LegacyCore) -> Line:
    if to_hex(keccak(to_bytes(core["key"] or "0x"))) == core["message"]["teeId"]:
        return line_of("key", "asserted", "the key is the one that the message names")
    return line_of("key", "refuted", "the key is another one than the message names")


def check_signature(core: Core) -> Line:
    digest, signature = receipt_id(core), to_bytes(core["signature"])
    key, session = core["key"], core["session"]
    if session is None and key is not None:
        return of_signature(is_signed_by_key(key, digest, signature), "the enclave's key")
    account = session or node_of(core)
    who = "the node's account" if session is None else f"the session's account {account}"
    return of_signature(recover_account(digest, signature) == account, who)


def context_of(core: Core) -> int:
    """The last public signal of a proof: the digest's upper 248 bits."""
    return int.from_bytes(receipt_id(core), "big") >> 8


def not_there(check: Check) -> Line:
    return line_of(check, "unknown", f"the {check} is not in the receipt")


def compared(check: Check, actual: bytes, expected: str) -> Line:
    if to_hex(actual) == expected:
        return line_of(check, "asserted", f"the {check} has the hash that was signed")
    return line_of(check, "refuted", f"the {check} has another hash than the one that was signed")


def of_signature(is_signed: bool, who: str) -> Line:
    if is_signed:
        return line_of("signature", "asserted", f"{who} signed the message")
    return line_of("signature", "refuted", f"{who} did not sign the message")
