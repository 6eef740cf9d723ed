"""What a training process is told, and what it answers: files, because it shares nothing else with its parent."""

import os
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from models.bundle import Bundle
from models.gate.report import GateReport
from models.retraining.choice import Choice
from stream_app.retrain.making import ArchiveMaking

ORDER_FILE: Final = "order"
OUTCOME_FILE: Final = "outcome"


class BundleParts(msgspec.Struct, frozen=True):
    """A bundle as plain bytes."""

    manifest_bytes: bytes
    onnx: bytes
    signature: bytes
    signer: str

    @classmethod
    def of(cls, bundle: Bundle) -> Self:
        """Take a bundle apart."""
        return cls(bundle.manifest_bytes, bundle.onnx, bundle.signature, bundle.signer)

    def whole(self) -> Bundle:
        """Put it together."""
        return Bundle(self.manifest_bytes, self.onnx, self.signature, self.signer)


class TrainingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One try.

    Attributes
    ----------
    making: what to train from and how.
    champion: what the candidate is held against.
    archive_url: where the tables lie.
    signing_key, allowed_signers: paths.
    code_commit: for the manifest.
    """

    making: ArchiveMaking
    champion: BundleParts
    archive_url: str
    signing_key: str
    allowed_signers: str
    code_commit: str


class TrainingOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: an error on one line, or a choice and a verdict, with a bundle where that is "pass"."""

    error: str | None = None
    choice: Choice | None = None
    gate: GateReport | None = None
    bundle: BundleParts | None = None
    training_s: float = 0.0


def write_whole(path: Path, record: msgspec.Struct) -> None:
    """Write a record so that a reader finds all of it or nothing, and nobody else can read it."""
    part = path.with_suffix(".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.msgpack.encode(record))
    part.replace(path)


def read_record(path: Path, record: type[Any]) -> Any:
    """Return the record in a file, None where there is none."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=record)
    except FileNotFoundError:
        return None
