"""What the verifier knows beforehand, from the deployment file or from whom they trust. A receipt brings none of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .errors import FormatError
from .json_text import parse_json
from .receipt.readers import Reader, decimal, hex_of, list_of, named, object_of, text
from .witness.storage_layout import StorageLayout, StoragePlace

_MAXIMUM_ENTRIES = 1000
_MAXIMUM_NAME = 200
_MAXIMUM_WORDS = 1024
_MAXIMUM_PLACES = 200


@dataclass(frozen=True)
class PinnedSettlement:
    """A settlement contract; registries and contracts of pages are those that it names itself."""

    chain_id: str
    settlement: str
    storage: StorageLayout | None = None
    """where it and its TEE registry keep what a witness shows"""


@dataclass(frozen=True)
class PinnedModel:
    """A version in the model registry; of a model whose answers are proved keccak256 of its verifying key, too, and how many
    packed words are the input's."""

    version: str
    verifying_key_hash: str | None = None
    input_words: int | None = None
    layouts_hash: str | None = None
    """for clients that ask models; no receipt has layouts"""


@dataclass(frozen=True)
class Pins:
    """``None`` is what nothing is known of; an empty tuple, that there is none."""

    settlements: tuple[PinnedSettlement, ...] = ()
    images: tuple[str, ...] | None = None
    """measurements of images, 32 bytes: keccak256 of PCR0, PCR1 and PCR2"""
    attestation_root: str | None = None
    """SHA-256 of the root certificate of attestation documents; AWS's if left out"""
    models: Mapping[str, PinnedModel] = field(default_factory=dict)

    def settlement_of(self, chain_id: str, settlement: str) -> PinnedSettlement | None:
        """The pin of a settlement, where there is one."""
        for known in self.settlements:
            if known.chain_id == chain_id and known.settlement.lower() == settlement.lower():
                return known
        return None

    def has_settlement(self, chain_id: str, settlement: str) -> bool:
        return self.settlement_of(chain_id, settlement) is not None

    def model_of(self, version: str, wanted: str | None = None) -> tuple[str, PinnedModel] | None:
        """The name and the pin of a model version, of one name alone where one is given."""
        for name, model in self.models.items():
            if model.version.lower() == version.lower() and wanted in (None, name):
                return name, model
        return None

    def has_image(self, measurement: str) -> bool:
        return any(image.lower() == measurement.lower() for image in self.images or ())


def _bytes_of(length: int) -> Reader:
    """Bytes as hex in either case, which people copy."""
    read = hex_of(length)
    return lambda value, path: read(value.lower() if isinstance(value, str) else value, path)


def _word_count(value: object, path: str) -> int:
    is_count = isinstance(value, float) and value.is_integer()
    if isinstance(value, float) and is_count and 1 <= value <= _MAXIMUM_WORDS:
        return int(value)
    raise FormatError(path, f"must be a whole number, 1 to {_MAXIMUM_WORDS}")


_MODEL_FIELDS = object_of(
    {
        "version": _bytes_of(32),
        "verifyingKeyHash": _bytes_of(32),
        "inputWords": _word_count,
        "layoutsHash": _bytes_of(32),
    },
    ["verifyingKeyHash", "inputWords", "layoutsHash"],
)


def _model(value: object, path: str) -> PinnedModel:
    fields = _MODEL_FIELDS(value, path)
    if ("verifyingKeyHash" in fields) != ("inputWords" in fields):
        raise FormatError(path, "verifyingKeyHash and inputWords belong together")
    key_hash, input_words = fields.get("verifyingKeyHash"), fields.get("inputWords")
    return PinnedModel(fields["version"], key_hash, input_words, fields.get("layoutsHash"))


_PLACE = object_of(
    {
        "name": text(_MAXIMUM_NAME),
        "type": text(_MAXIMUM_NAME),
        "slot": decimal(256),
        "offset": decimal(6),
        "bytes": decimal(256),
    }
)


def _place(value: object, path: str) -> StoragePlace:
    fields = _PLACE(value, path)
    numbers = [int(fields[name]) for name in ("slot", "offset", "bytes")]
    return StoragePlace(fields["name"], fields["type"], *numbers)


_PLACES = list_of(_place, 0, _MAXIMUM_PLACES)
_LAYOUT = object_of({"settlement": _PLACES, "teeRegistry": _PLACES})


def _storage(value: object, path: str) -> StorageLayout:
    fields = _LAYOUT(value, path)
    return StorageLayout(tuple(fields["settlement"]), tuple(fields["teeRegistry"]))


_SETTLEMENT = object_of(
    {"chainId": decimal(64), "settlement": _bytes_of(20), "storage": _storage}, ["storage"]
)
_PINS = object_of(
    {
        "settlements": list_of(_SETTLEMENT, 0, _MAXIMUM_ENTRIES),
        "images": list_of(_bytes_of(32), 0, _MAXIMUM_ENTRIES),
        "attestationRoot": _bytes_of(32),
        "models": named(_model, _MAXIMUM_ENTRIES, _MAXIMUM_NAME),
    },
    ["settlements", "images", "attestationRoot", "models"],
)


def read_pins(written: str) -> Pins:
    """Pins from a file's text: JSON, in which unknown fields are refused. Raises ``FormatError``, naming field and reason."""
    try:
        value = parse_json(written)
    except ValueError:
        raise FormatError("pins", "is not JSON") from None
    fields = _PINS(value, "pins")
    images = fields.get("images")
    return Pins(
        settlements=tuple(
            PinnedSettlement(known["chainId"], known["settlement"], known.get("storage"))
            for known in fields.get("settlements", [])
        ),
        images=None if images is None else tuple(images),
        attestation_root=fields.get("attestationRoot"),
        models=fields.get("models", {}),
    )
