from __future__ import annotations

import json

import pytest
import rfc8785
from conftest import IS_DEEP, NOW, PINS, VECTORS, change_at, text_of, verified

from haca import is_verified, parse_receipt, read_pins, serialise_receipt, verify
from haca.errors import FormatError

GOOD = VECTORS["good"]
BAD = VECTORS["bad"]


@pytest.mark.parametrize("good", GOOD, ids=lambda good: good["name"])
def test_a_good_receipt_has_its_lines(good: dict) -> None:
    lines = verified(good["receipt"].encode())
    asserted = {line.check for line in lines if line.status == "asserted"}
    assert set(good["asserted"]) <= asserted
    assert [line for line in lines if line.status == "refuted"] == []
    is_legacy = good.get("legacy", False)
    assert is_verified(lines, legacy=is_legacy) is good["isVerified"]
    if is_legacy:
        assert not is_verified(lines)


@pytest.mark.parametrize("index", range(len(BAD)), ids=lambda index: BAD[index]["name"])
def test_a_bad_receipt_is_refuted_in_its_line(index: int) -> None:
    bad = BAD[index]
    # Of a proof's signed message one change is as good as another, and a pairing takes half a second.
    if bad["of"] == "zkml" and bad["path"][:2] == ["core", "message"] and index % 4 and not IS_DEEP:
        pytest.skip("deep")
    receipt = json.loads(text_of(bad["of"]))
    lines = verified(rfc8785.dumps(change_at(receipt, bad["path"], bad["value"])))
    refuted = [line.check for line in lines if line.status == "refuted"]
    if bad["refuted"] is None:
        assert refuted == ["form"]
    else:
        assert bad["refuted"] in refuted
    assert not is_verified(lines, legacy=True)


def test_nothing_is_verified_without_pins_or_under_others() -> None:
    text = text_of("teeP256")
    assert not is_verified(verify(text, now=NOW))
    of_aws = verify(text, pins=type(PINS)(PINS.settlements, PINS.images, None, PINS.models), now=NOW)
    assert [line.status for line in of_aws if line.check == "attestation"] == ["refuted"]


def test_a_receipt_is_verified_a_year_later_and_not_by_a_clock_that_is_behind() -> None:
    text = text_of("teeRsa")
    answered = int(parse_receipt(text)["core"]["message"]["timestamp"])
    for now, expected in [(NOW + 366 * 86_400, True), (answered - 120, False)]:
        assert is_verified(verify(text, pins=PINS, now=now)) is expected
    document_line = verify(text, pins=PINS, now=answered - 45)
    assert [line.status for line in document_line if line.check == "time"] == ["asserted"]


@pytest.mark.parametrize("name", ["teeRsa", "teeSecp256k1", "teeP256InPage"])
def test_a_receipt_of_which_a_byte_is_flipped_is_not_verified(name: str) -> None:
    data = text_of(name).encode()
    hints = data.index(b'"hints":{')
    for at in range(len(name), hints, 1 if IS_DEEP else 97):
        flipped = data[:at] + bytes([data[at] ^ (1 << (at % 8))]) + data[at + 1 :]
        assert not is_verified(verify(flipped, pins=PINS, now=NOW)), at


def test_a_receipt_has_one_form() -> None:
    text = text_of("teeP256")
    receipt = parse_receipt(text)
    assert serialise_receipt(receipt) == text
    reordered = json.dumps(dict(reversed(receipt.items())), separators=(",", ":"), ensure_ascii=False)
    repeated = text.replace('"mediaType":', '"mediaType":"x","mediaType":')
    escaped = text.replace("vnd", "\\u0076nd")
    for other in [f"{text} ", f"\ufeff{text}", reordered, repeated, escaped, text.replace("0x", "0X")]:
        assert other != text
        assert [line.check for line in verify(other, pins=PINS, now=NOW)] == ["form"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"\xff", "receipt: is not UTF-8"),
        (b"", "receipt: is not JSON"),
        (b"[" * 100_000, "receipt: is not JSON"),
        (b"NaN", "receipt: is not JSON"),
        (b"9" * 5000, "receipt: must be an object"),
        (b"{}", "receipt: the field mediaType is missing"),
        (b'{"b":1,"10":1,"9":1}', 'receipt: unknown field "9"'),
        (b'{"\\ud800":1}', 'receipt: unknown field "\\ud800"'),
        (b" " * (4 * 1024 * 1024 + 1), "receipt: must have 4194304 bytes at most, has 4194305"),
    ],
    ids=range(9),
)
def test_what_is_no_receipt_is_refused_in_one_line(source: bytes, reason: str) -> None:
    (line,) = verify(source, pins=PINS, now=NOW)
    assert (line.check, line.status, line.detail) == ("form", "refuted", reason)


def test_pins_of_a_model_may_have_its_layouts() -> None:
    word = "0x" + "0a" * 32
    model = {"version": word, "layoutsHash": word.upper().replace("0X", "0x")}
    assert read_pins(json.dumps({"models": {"m": model}})).models["m"].layouts_hash == word
    with pytest.raises(FormatError, match="layoutsHash"):
        read_pins(json.dumps({"models": {"m": {**model, "layoutsHash": 1}}}))
