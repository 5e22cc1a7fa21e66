"""Arguments of the command, and how it ends."""

from __future__ import annotations

import argparse
import os
import re
import sys
import traceback
from collections.abc import Sequence

from ..errors import HacaError
from .printing import is_coloured, printable
from .read_input import UsageError
from .receipt_commands import VerifyArguments, show_file, verify_file

VERIFIED = 0
NOT_VERIFIED = 1
"""Of an answer that is not verified, and of a file that is no receipt."""
USAGE = 2
_INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """The command; its status."""
    parser = _parser()
    if not arguments:
        parser.print_help()
        return VERIFIED
    options = parser.parse_args(arguments)
    if options.verb is None:
        print(f"{parser.prog} receipt: verify or show", file=sys.stderr)
        return USAGE
    try:
        return _run(options)
    except BrokenPipeError:
        # Whoever read has had enough; what is left is thrown away, so that nothing complains at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_VERIFIED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:
        return _fail(error)


def _run(options: argparse.Namespace) -> int:
    if options.verb == "show":
        _write(show_file(options.file, options.json))
        return VERIFIED
    is_verified, text = verify_file(
        options.file,
        VerifyArguments(
            pins=options.pins,
            model=options.model,
            rpc=tuple(options.rpc),
            block_hash=tuple(options.block_hash),
            now=options.now,
            registry=options.registry,
            legacy=options.legacy,
            demand=tuple(options.demand),
            json=options.json,
        ),
        is_coloured(sys.stdout),
    )
    _write(text)
    return VERIFIED if is_verified else NOT_VERIFIED


def _write(text: str) -> None:
    """UTF-8, whatever the machine's own encoding is."""
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def _fail(error: Exception) -> int:
    """One line, whatever it is; what nobody foresaw is shown whole to who asks for it."""
    is_known = isinstance(error, HacaError)
    hint = "" if is_known else " [unexpected; HACA_DEBUG=1 shows where]"
    message = printable(re.sub(r"\s+", " ", str(error)))
    sys.stderr.buffer.write(f"{message}{hint}\n".encode())
    if not is_known and os.environ.get("HACA_DEBUG") == "1":
        traceback.print_exception(error)
    return USAGE if isinstance(error, UsageError) else NOT_VERIFIED


def _parser() -> argparse.ArgumentParser:
    plain = {"allow_abbrev": False}
    parser = argparse.ArgumentParser(
        prog="haca", description="answers of models that anybody can check", allow_abbrev=False
    )
    commands = parser.add_subparsers(metavar="receipt", required=True)
    receipt = commands.add_parser("receipt", help="receipts of answers", **plain)  # type: ignore[arg-type]
    receipt.set_defaults(verb=None)
    verbs = receipt.add_subparsers(metavar="verify|show")
    verify = verbs.add_parser(
        "verify",
        help="check a receipt",
        description="check a receipt, - for standard input: one line for each check. Status 0 if it is verified, 1 if it "
        "is not, 2 for a wrong argument",
        **plain,  # type: ignore[arg-type]
    )
    verify.set_defaults(verb="verify")
    verify.add_argument("file")
    verify.add_argument(
        "--pins", metavar="file", help="what is known beforehand: settlements, images, models"
    )
    verify.add_argument(
        "--model", metavar="name", help="this one of the pinned models has to have answered"
    )
    verify.add_argument(
        "--rpc",
        metavar="url",
        action="append",
        default=[],
        help="ask this endpoint, too; all that are named have to agree",
    )
    verify.add_argument(
        "--block-hash",
        metavar="hash",
        action="append",
        default=[],
        help="you know this block to be the chain's: what a witness shows of it counts; as often as you like",
    )
    verify.add_argument(
        "--registry",
        action="store_true",
        help="take the registry's word for an enclave in place of its document",
    )
    verify.add_argument(
        "--legacy",
        action="store_true",
        help="take an answer that names neither chain, contract and request nor a version",
    )
    verify.add_argument(
        "--demand",
        metavar="check",
        action="append",
        default=[],
        help="this line has to be asserted, too; as often as you like",
    )
    verify.add_argument(
        "--now",
        metavar="seconds",
        help="the time, in unix seconds; this machine's clock if left out",
    )
    show = verbs.add_parser(
        "show",
        help="what a receipt says",
        description="what a receipt says, - for standard input; checks nothing but its form",
        **plain,  # type: ignore[arg-type]
    )
    show.set_defaults(verb="show")
    show.add_argument("file")
    for verb in (verify, show):
        verb.add_argument("--json", action="store_true", help="for programs")
    return parser
