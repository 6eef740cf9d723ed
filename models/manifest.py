"""The manifest of a model: what it is, from what it was made, how good it is, and what it must answer."""

import base64
import hashlib
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError, one_line

LONGEST_MANIFEST_BYTES: Final = 8 * 1024 * 1024
"""Reference distributions of 60 features and golden vectors take some 100 kB."""


class ManifestError(FraudstreamError):
    """Raised for manifest bytes that do not say what a manifest must say."""


class TrainingData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rows that the released model was fitted on; times are event times in ms, the last one included.

    `sha256` is that of the feature values, labels and weights, in the rows' order: equal rows have equal ones.
    """

    description: str
    from_event_time: int
    to_event_time: int
    rows: int
    frauds: int
    table_versions: dict[str, int] = {}
    sha256: str = ""


class Figures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Metrics of one fit on one set of rows: `fit` says which model was judged, the rest on what."""

    fit: str
    from_event_time: int
    to_event_time: int
    rows: int
    frauds: int
    values: dict[str, float]


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Scores from `decline` on are declined, from `review` on reviewed; without `decline` nothing is declined."""

    review: float
    decline: float | None = None

    def __post_init__(self) -> None:
        """Refuse thresholds outside 0 to 1 or in the wrong order."""
        if not 0.0 <= self.review <= 1.0:
            raise ValueError(f"review threshold {self.review} lies outside 0 to 1")
        if self.decline is not None and not self.review <= self.decline <= 1.0:
            raise ValueError(f"decline threshold {self.decline} must lie between review {self.review} and 1")


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows with the scores they must get: `features` is base64 of little-endian float32, row after row."""

    features: str
    scores: list[float]

    @classmethod
    def of(cls, values: npt.NDArray[np.float32], scores: npt.NDArray[np.float32]) -> "Golden":
        """Write rows and their scores."""
        packed = base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode("ascii")
        return cls(packed, [float(score) for score in scores])

    def values(self, n_features: int) -> npt.NDArray[np.float32]:
        """Return the rows; raises ManifestError when they are not `n_features` wide."""
        try:
            packed = base64.b64decode(self.features, validate=True)
        except ValueError as error:
            raise ManifestError(f"golden vectors are no base64: {error}") from None
        if len(packed) != 4 * n_features * len(self.scores):
            raise ManifestError(
                f"golden vectors hold {len(packed)} bytes, not {len(self.scores)} rows of {n_features} float32"
            )
        return np.frombuffer(packed, dtype="<f4").reshape(len(self.scores), n_features).astype(np.float32)


class Lineage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model descends from: the request it was trained for, and the champion of that time."""

    retrain_request: str | None = None
    parent: str | None = None


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything about a model but its graph.

    `version` is "m-" and the first 12 hex digits of the SHA-256 of the manifest's canonical bytes with `version` empty;
    as these name the graph's own SHA-256, the version stands for the whole content. `created_at` is in ms.
    `schema_version` is that of the transactions it was trained for. `recipe` says which rows counted how much in a fit,
    `gate` why the model was let through; both are empty for a model that a person trained. `making` is what has to be
    known beside to make it again.
    """

    version: str = ""
    created_at: int
    family: str
    parameters: dict[str, float | int | str | bool | None]
    seed: int
    feature_set: str
    feature_names: list[str]
    schema_version: int = 1
    onnx_sha256: str
    data: TrainingData
    code_commit: str
    metrics: dict[str, Figures]
    thresholds: Thresholds
    golden: Golden
    lineage: Lineage = Lineage()
    reference: dict[str, Any] | None = None
    recipe: dict[str, Any] | None = None
    gate: dict[str, Any] | None = None
    making: dict[str, Any] | None = None
    manifest_version: int = 1

    @property
    def correlation_id(self) -> str | None:
        """What led to the model: the incident, or the request, that it was trained for; None where a person trained."""
        request = (self.making or {}).get("request")
        incident = request.get("incident") if isinstance(request, dict) else None
        return str(incident) if incident else self.lineage.retrain_request

    def canonical_bytes(self) -> bytes:
        """Encode with sorted keys and shortest numbers: equal manifests give equal bytes."""
        return msgspec.json.encode(self, order="sorted")

    def sealed(self) -> "Manifest":
        """Return the manifest with its version filled in."""
        unnamed = msgspec.structs.replace(self, version="")
        digest = hashlib.sha256(unnamed.canonical_bytes()).hexdigest()
        return msgspec.structs.replace(self, version=f"m-{digest[:12]}")


def decode_manifest(content: bytes) -> Manifest:
    """Read canonical bytes, and hold the version against the content."""
    if len(content) > LONGEST_MANIFEST_BYTES:
        raise ManifestError(f"manifest has {len(content)} bytes; at most {LONGEST_MANIFEST_BYTES} are read")
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        raise ManifestError(
            f"manifest cannot be read ({one_line(error)}); this release reads manifest_version 1"
        ) from error
    if manifest.sealed().version != manifest.version:
        raise ManifestError(
            f"manifest calls itself {manifest.version:.40} but its content is {manifest.sealed().version};"
            " fetch the bundle again"
        )
    return manifest


def manifest_schema() -> str:
    """Return the JSON Schema of a manifest, as published in docs/contracts/manifest.schema.json."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(Manifest)), indent=2).decode() + "\n"
