"""The command as its user meets it: a process, its arguments, what it prints and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import NOW, VECTORS, text_of

from haca.cli.main import main
from haca.cli.printing import print_lines, time_text, wrapped
from haca.line import line_of


def haca(*arguments: str, given: str = "") -> tuple[int, str, str]:
    ended = subprocess.run(
        [sys.executable, "-m", "haca", *arguments],
        input=given.encode(),
        capture_output=True,
        timeout=120,
    )
    return ended.returncode, ended.stdout.decode(), ended.stderr.decode()


@pytest.fixture
def pins(tmp_path: Path) -> list[str]:
    path = tmp_path / "pins.json"
    path.write_text(json.dumps(VECTORS["pins"]))
    return ["--pins", str(path), "--now", str(NOW)]


def test_verify_ends_with_0_for_a_verified_receipt(tmp_path: Path, pins: list[str]) -> None:
    path = tmp_path / "receipt.json"
    path.write_text(text_of("teeP256InPage"), "utf-8")
    status, out, err = haca("receipt", "verify", str(path), *pins)
    lines = out.rstrip("\n").split("\n")
    assert (status, err, lines[-1]) == (0, "", "verified")
    assert "asserted  attestation (pins, 2030-03-17T17:36:40Z)" in lines
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in out


def test_a_witness_counts_for_a_block_that_is_named_and_legacy_where_it_is_taken(
    pins: list[str],
) -> None:
    (block,) = VECTORS["blockHashes"]
    settled = ["receipt", "verify", "-", *pins, "--demand", "settled"]
    status, out, _ = haca(*settled, given=text_of("teeWitnessed"))
    assert status == 1
    assert "nobody vouches for block" in out
    status, out, _ = haca(*settled, "--block-hash", block, given=text_of("teeWitnessed"))
    assert status == 0
    assert "asserted  settled (witness, block" in out
    legacy = ["receipt", "verify", "-", *pins]
    assert haca(*legacy, given=text_of("legacyText"))[0] == 1
    assert haca(*legacy, "--legacy", given=text_of("legacyText"))[0] == 0
    wrong = haca(*legacy, "--block-hash", "0x12", given=text_of("legacyText"))
    assert (wrong[0], wrong[2]) == (2, "--block-hash: must be 0x and 64 digits of hex, got 0x12\n")


def test_verify_ends_with_1_and_says_for_what(pins: list[str]) -> None:
    changed = text_of("teeP256").replace('"price":"7"', '"price":"8"')
    demands = ["--demand", "settled", "--model", "proved"]
    status, out, err = haca("receipt", "verify", "-", *pins, *demands, given=changed)
    assert (status, err) == (1, "")
    assert "\nrefuted   signature (own computation)\n" in out
    assert out.endswith("\nnot verified, for: model, signature, settled\n")


def test_verify_prints_the_same_for_programs(pins: list[str]) -> None:
    status, out, _ = haca("receipt", "verify", "-", *pins, "--json", given="{}")
    printed = json.loads(out)
    assert (status, printed["id"], printed["isVerified"]) == (1, None, False)
    assert printed["lines"] == [
        {
            "check": "form",
            "status": "refuted",
            "detail": "receipt: the field mediaType is missing",
            "source": "own computation",
            "asOf": {"type": "always"},
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["receipt", "verify", "x", "--pin", "y"], "unrecognized arguments: --pin"),
        (["receipt", "verify", "no/such"], "no/such: there is no such file\n"),
        (["receipt", "verify", "x", "--demand", "all"], "--demand: all is no line; there are form, "),
        (["receipt", "verify", "x", "--now", "today"], "--now: must be unix seconds, got today"),
        (["receipt", "verify", "x", "--rpc", "ftp://x"], "--rpc: must be an address"),
        (["receipt"], "verify or show"),
    ],
    ids=range(6),
)
def test_a_wrong_argument_ends_with_2_and_is_named(
    arguments: list[str], reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    try:
        status = main(arguments)
    except SystemExit as ended:
        status = int(ended.code or 0)
    out, err = capfd.readouterr()
    assert (status, out) == (2, "")
    assert reason in err
    assert "Traceback" not in err


def test_pins_with_an_unknown_field_are_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.json"
    path.write_text('{"image":[]}')
    assert main(["receipt", "verify", "x", "--pins", str(path)]) == 2
    assert capfd.readouterr().err.endswith('wrong.json: pins: unknown field "image"\n')


def test_show_says_what_a_receipt_says() -> None:
    receipt = json.loads(text_of("zkml"))
    receipt["hints"] = {"2": "two", "10": "ten", "\x1b[31m": "a\u202e\x07"}
    # By RFC 8785 of these names.
    text = json.dumps(receipt, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    status, out, _ = haca("receipt", "show", "-", given=text)
    assert status == 0
    assert "\nchain\n    31337\n" in out
    assert "hint 2\n    two\nhint 10\n    ten\nhint \\u{1b}[31m\n    a\\u{202e}\\u{7}\n" in out
    assert out.endswith("nothing of this was checked: haca receipt verify\n")


def test_show_refuses_what_is_no_receipt_in_one_line() -> None:
    expected = (1, "", "receipt: the field mediaType is missing\n")
    assert haca("receipt", "show", "-", given="{}") == expected


def test_people_s_text_is_coloured_and_cut() -> None:
    lines = [line_of("form", "refuted", "no")]
    assert print_lines(lines, True)[0] == "\x1b[31mrefuted\x1b[39m   form (own computation)"
    assert print_lines(lines, False)[0] == "refuted   form (own computation)"
    assert wrapped("😀" * 77) == ["    " + "😀" * 76, "    😀"]
    assert wrapped("x" * 80 + " y") == ["    " + "x" * 76, "    xxxx y"]


def test_times_are_those_of_a_calendar_of_any_year() -> None:
    assert time_text("0") == "1970-01-01T00:00:00Z"
    assert time_text("951782399") == "2000-02-28T23:59:59Z"
    assert time_text("951782400") == "2000-02-29T00:00:00Z"
    assert time_text("253402300800") == "+010000-01-01T00:00:00Z"
    assert time_text("8640000000000") == "+275760-09-13T00:00:00Z"
    assert time_text("8640000000001") == "8640000000001"
