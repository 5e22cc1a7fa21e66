"""The tree over a page of results, as ``PageTree`` of the contracts has it."""

from __future__ import annotations

from .hex_bytes import address_word, keccak, to_bytes, to_hex, word
from .receipt.receipt import Core, PageEvidence, PageHeader
from .signature_form import kind_of_signature, with_other_s
from .typed_data import receipt_id

_LEAF = b"\x00"
_NODE = b"\x01"


def header_words(header: PageHeader) -> list[bytes]:
    """The header's fields as the ABI encodes them."""
    return [
        word(int(header["kind"])),
        to_bytes(header["teeId"]),
        word(int(header["ledgerPage"])),
        word(int(header["bitmap"])),
        to_bytes(header["root"]),
        to_bytes(header["blobId"]),
        address_word(header["proposer"]),
        word(int(header["fee"])),
    ]


def page_id_of(chain_id: str, page: PageEvidence) -> str:
    """``PageSettlement.pageIdOf``"""
    contract = address_word(page["pageSettlement"])
    return to_hex(keccak(word(int(chain_id)), contract, *header_words(page["header"])))


def place_of(request_id: str) -> tuple[int, int]:
    """The number of the page that a request's leaf is in, and its place there."""
    number = int(request_id, 16)
    return number >> 8, number & 0xFF


def signature_in_page(core: Core, page: PageEvidence) -> bytes | None:
    """The signature in the form in which it is in the page: the receipt's, or of P-256 perhaps with the other s.

    None where neither leads to the header's root.
    """
    _, index = place_of(core["message"]["requestId"])
    digest = receipt_id(core)
    root = to_bytes(page["header"]["root"])
    forms = [core["signature"]]
    if kind_of_signature(core["key"], core["session"]) == "p256":
        forms.append(with_other_s(core))
    for form in forms:
        signature = to_bytes(form)
        leaf = keccak(_LEAF, digest, keccak(signature))
        if _climb(leaf, index, page["path"]) == root:
            return signature
    return None


def _climb(leaf: bytes, index: int, path: list[str]) -> bytes:
    node = leaf
    for depth, sibling in enumerate(map(to_bytes, path)):
        is_left = (index >> depth) & 1 == 0
        node = keccak(_NODE, node, sibling) if is_left else keccak(_NODE, sibling, node)
    return node
