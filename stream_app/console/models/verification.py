"""Whether a stored bundle is what its signature says, scores as it did, and what its features weigh."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.bundle import Bundle
from models.errors import FraudstreamError
from models.scorer import LoadedModel
from models.signing import AllowedSigners

_KEPT: Final = 32


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found.

    Attributes
    ----------
    version, signer: of the bundle.
    failure: what does not fit, on one line; None where everything does.
    golden_rows, largest_difference: how many golden vectors were scored again, and how far off the worst was.
    importance: features by their mean absolute contribution to the log-odds of the golden vectors, the largest first.
    """

    version: str
    signer: str
    failure: str | None = None
    golden_rows: int = 0
    largest_difference: float = 0.0
    importance: tuple[tuple[str, float], ...] = ()


class Verifier:
    """Verifies bundles as a scorer does; the same bytes under the same keys once.

    Safe to use from several threads.

    Parameters
    ----------
    get: returns a stored bundle.
    allowed: returns the signers that count.
    """

    def __init__(self, get: Callable[[str], Bundle], allowed: Callable[[], AllowedSigners]) -> None:
        self._get, self._allowed = get, allowed
        self._lock = threading.Lock()
        self._known: dict[bytes, Verification] = {}

    def verify(self, version: str) -> Verification:
        """Return what is found of a stored version; raises RegistryError where there is none."""
        bundle = self._get(version)
        try:
            allowed = self._allowed()
        except FraudstreamError as error:
            return Verification(version, bundle.signer, failure=str(error))
        identity = _identity(bundle, allowed)
        with self._lock:
            found = self._known.get(identity)
            if found is None:
                found = _verified(version, bundle, allowed)
                self._known = dict([*self._known.items()][1 - _KEPT :]) | {identity: found}
        return found


def _verified(version: str, bundle: Bundle, allowed: AllowedSigners) -> Verification:
    try:
        model = LoadedModel.load(bundle, allowed)
        difference = model.check_golden()
    except FraudstreamError as error:
        return Verification(version, bundle.signer, failure=str(error))
    rows = model.manifest.golden.values(len(model.feature_set))
    weights = np.abs(model.contributions(rows)).mean(axis=0)
    order = np.argsort(-weights, kind="stable")
    named = tuple((model.feature_set.names[column], float(weights[column])) for column in order if weights[column] > 0)
    return Verification(version, bundle.signer, None, len(rows), difference, named)


def _identity(bundle: Bundle, allowed: AllowedSigners) -> bytes:
    parts = (
        bundle.manifest_bytes,
        bundle.onnx,
        bundle.signature,
        bundle.signer.encode(),
        *sorted(allowed.keys.values()),
    )
    return b"".join(hashlib.sha256(part).digest() for part in parts)
