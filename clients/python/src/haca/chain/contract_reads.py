"""The contracts' functions that are asked, with the words of their arguments and their answers."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ChainError
from ..hex_bytes import WORD_LENGTH, address_word, keccak, to_bytes, to_hex, word
from ..page import header_words, place_of
from ..receipt.receipt import Core, PageEvidence
from ..typed_data import message_words, receipt_id
from .open_chain import Chain

_HEADER = "(uint8,bytes32,uint256,uint256,bytes32,bytes32,address,uint96)"
_RESULT = "(bytes32,bytes32,bytes32,address,bytes32,uint256,uint64,bytes32)"
_VERIFY_INCLUSION = f"verifyInclusion({_HEADER},(uint8,{_RESULT},bytes,bytes32[8]))"


@dataclass(frozen=True)
class Session:
    """When a session key is valid, and whether it signs results; ``until`` exclusive, all zero where there is no such key."""

    since: int
    until: int
    signs_results: bool


def tee_registry_of(chain: Chain, settlement: str) -> str:
    return _ask_contract(chain, settlement, "teeRegistry()")


def model_registry_of(chain: Chain, settlement: str) -> str:
    return _ask_contract(chain, settlement, "modelRegistry()")


def was_in_service(chain: Chain, registry: str, tee_id: str, time: int) -> bool:
    signature = "wasInService(bytes32,uint256)"
    return _ask_boolean(chain, registry, signature, to_bytes(tee_id), word(time))


def is_active(chain: Chain, registry: str, tee_id: str) -> bool:
    return _ask_boolean(chain, registry, "isTEEActive(bytes32)", to_bytes(tee_id))


def session_of(chain: Chain, registry: str, tee_id: str, account: str) -> Session:
    data = _encode("sessionKey(bytes32,address)", to_bytes(tee_id), address_word(account))
    since, until, signs = _ask(chain, registry, data, 3)
    return Session(since, until, _to_boolean(signs))


def version_of(chain: Chain, registry: str, version: str) -> tuple[int, int]:
    """Status (1 published, 2 deprecated) and time of the deprecation of a model version."""
    words = _ask(chain, registry, _encode("settlementData(bytes32)", to_bytes(version)), 5)
    return words[0], words[4]


def is_settled(chain: Chain, settlement: str, request_id: str) -> bool:
    return _ask_boolean(chain, settlement, "isSettled(bytes32)", to_bytes(request_id))


def is_ledger_writer(chain: Chain, settlement: str, writer: str) -> bool:
    return _ask_boolean(chain, settlement, "isLedgerWriter(address)", address_word(writer))


def digest_of(chain: Chain, settlement: str, request_id: str) -> bytes:
    """What the settlement keeps of a settled result with a price; zero of one without."""
    (digest,) = _ask(chain, settlement, _encode("digestOf(bytes32)", to_bytes(request_id)), 1)
    return word(digest)


def settled_digest(kind: int, core: Core) -> bytes:
    """What ``digestOf`` is of a result that was settled by this kind: 1 ZKML, 2 TEE."""
    return keccak(word(kind), receipt_id(core))


def state_in_page(chain: Chain, core: Core, page: PageEvidence, signature: bytes) -> int:
    """What a page's contract says of a leaf: the state of the page."""
    data = encode_verify_inclusion(core, page, signature)
    return _ask(chain, page["pageSettlement"], data, 3)[0]


def encode_verify_inclusion(core: Core, page: PageEvidence, signature: bytes) -> bytes:
    """Calldata of ``PageSettlement.verifyInclusion``; the signature as it is in the page."""
    header, message = header_words(page["header"]), message_words(core)
    path = [to_bytes(sibling) for sibling in page["path"]]
    _, index = place_of(core["message"]["requestId"])
    # Head of the leaf: place, message, where the signature is, siblings.
    leaf_head = 1 + len(message) + 1 + len(path)
    return _encode(
        _VERIFY_INCLUSION,
        *header,
        word(WORD_LENGTH * (len(header) + 1)),
        word(index),
        *message,
        word(WORD_LENGTH * leaf_head),
        *path,
        word(len(signature)),
        signature,
        bytes(-len(signature) % WORD_LENGTH),
    )


def _encode(signature: str, *words: bytes) -> bytes:
    """Function selector and arguments."""
    return keccak(signature.encode())[:4] + b"".join(words)


def _ask(chain: Chain, to: str, data: bytes, words: int) -> list[int]:
    """The words of an answer, which has exactly so many."""
    answer = chain.call(to, data)
    if len(answer) != WORD_LENGTH * words:
        raise ChainError("badAnswer", "a contract answers something else than it should")
    places = range(0, len(answer), WORD_LENGTH)
    return [int.from_bytes(answer[place : place + WORD_LENGTH], "big") for place in places]


def _to_boolean(value: int) -> bool:
    if value in (0, 1):
        return value == 1
    raise ChainError("badAnswer", "a contract answers neither yes nor no")


def _ask_boolean(chain: Chain, to: str, signature: str, *words: bytes) -> bool:
    return _to_boolean(_ask(chain, to, _encode(signature, *words), 1)[0])


def _ask_contract(chain: Chain, to: str, signature: str) -> str:
    """A contract that another one names."""
    (answer,) = _ask(chain, to, _encode(signature), 1)
    if answer != 0 and answer >> 160 == 0:
        return to_hex(word(answer)[12:])
    raise ChainError("badAnswer", f"the settlement names no contract as its {signature}")
