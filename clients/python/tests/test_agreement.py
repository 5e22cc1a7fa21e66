"""The contracts, the TypeScript verifier and this one say the same of what was changed."""

from __future__ import annotations

from typing import Any

from conftest import IS_DEEP, is_known, verified

from haca import Pins, parse_receipt
from haca.checks.of_evidence import check_attestation
from haca.cli.printing import print_lines, print_receipt
from haca.errors import HacaError
from haca.groth16 import is_proof
from haca.hex_bytes import keccak_hex, to_bytes
from haca.legacy.receipt import is_legacy, parse_legacy_receipt
from haca.line import ALWAYS, Line
from haca.signatures import is_signed_by_key

# What a library says of what it does not take is its own matter.
COMPARED = ("check", "status", "source", "asOf")


def taken(look: Any) -> bool:
    try:
        return bool(look())
    except Exception:
        return False


def compared(line: dict[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in COMPARED}


def test_on_proofs(cases: dict[str, Any]) -> None:
    found, expected = [], []
    for case in cases["proofs"]:
        key, proof = to_bytes(case["verifyingKey"]), to_bytes(case["proof"])
        signals = [int(signal) for signal in case["signals"]]
        try:
            here = "holds" if is_proof(key, proof, signals) else "fails"
        except ValueError:
            here = "refused"
        found.append((case["name"], here == "holds", here))
        expected.append((case["name"], case["contract"], case["sdk"]))
    assert found == expected
    assert {here for _, _, here in found} == {"holds", "fails", "refused"}


def test_on_signatures(cases: dict[str, Any]) -> None:
    found, expected = [], []
    for case in cases["signatures"]:
        message, signature = to_bytes(case["message"]), to_bytes(case["signature"])
        here = taken(lambda: is_signed_by_key(case["key"], message, signature))
        found.append((case["name"], here, here))
        expected.append((case["name"], case["contract"], case["sdk"]))
    assert found == expected
    assert {here for _, here, _ in found} == {True, False}


def test_on_documents(cases: dict[str, Any]) -> None:
    documents = cases["documents"]
    pins = Pins(attestation_root=documents["attestationRoot"])
    statuses = set()
    for case in documents["cases"]:
        core: Any = {"key": documents["key"], "attestation": keccak_hex(case["document"])}
        evidence: Any = [{"type": "attestation", "document": case["document"]}]
        try:
            line = check_attestation(core, evidence, pins, int(documents["now"])).to_json()
        except Exception as error:
            line = Line("attestation", "refuted", str(error), "own computation", ALWAYS).to_json()
            if not isinstance(error, HacaError):
                # A point that is none: the library's own words.
                line["detail"] = case["line"]["detail"]
        assert line == case["line"], case["name"]
        statuses.add(line["status"])
    # No image is pinned, so that the sound one is not asserted.
    assert statuses == {"unknown", "refuted"}


def test_on_what_is_printed_of_good_receipts(cases: dict[str, Any]) -> None:
    good = [case for case in cases["receipts"] if "printed" in case]
    assert len(good) > 5
    for case in good:
        receipt = bytes.fromhex(case["bytes"])
        printed = case["printed"]
        assert print_lines(verified(receipt), coloured=False) == printed["lines"]
        parse = parse_legacy_receipt if is_legacy(receipt) else parse_receipt
        assert print_receipt(parse(receipt)) == printed["receipt"]


def test_on_receipts(cases: dict[str, Any]) -> None:
    for case in cases["receipts"]:
        receipt = bytes.fromhex(case["bytes"])
        if not IS_DEEP and not is_known(receipt) and b'"type":"proof"' in receipt:
            continue
        lines = [line.to_json() for line in verified(receipt)]
        assert [compared(line) for line in lines] == [compared(line) for line in case["lines"]], (
            case["name"]
        )
        for line, other in zip(lines, case["lines"], strict=True):
            if line["status"] != "refuted":
                assert line["detail"] == other["detail"]
