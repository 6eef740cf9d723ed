"""Models by version, verified and ready to score once more."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Final

from models.errors import FraudstreamError
from models.registry import Registry, RegistryError
from models.scorer import LoadedModel
from models.signing import AllowedSigners
from stream_app.model_store import ModelStore

_MOST: Final = 4
"""A model takes some 20 MB; the champion and those before it are asked for again and again."""


class ShelfError(FraudstreamError):
    """Raised when a version can be had nowhere."""


class ModelShelf:
    """Loads versions from the registry, or from the models beside the archive, and keeps the last ones.

    Parameters
    ----------
    registry: where models are.
    signers: folder of the public keys whose models count.
    archive_url: None where this console has no archive.
    """

    def __init__(self, registry: Registry, signers: Path, archive_url: str | None) -> None:
        self._registry = registry
        self._signers = signers
        self._archive_url = archive_url
        self._loaded: OrderedDict[str, LoadedModel] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, version: str) -> LoadedModel:
        """Return a model; loading it takes about a second the first time.

        Raises
        ------
        ShelfError, BundleError, SigningError: it is nowhere, or does not verify.
        """
        with self._lock:
            model = self._loaded.get(version)
            if model is None:
                model = self._load(version)
                self._loaded[version] = model
                while len(self._loaded) > _MOST:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(version)
            return model

    def _load(self, version: str) -> LoadedModel:
        allowed = AllowedSigners.in_folder(self._signers)
        try:
            return LoadedModel.load(self._registry.get(version), allowed)
        except RegistryError as error:
            if self._archive_url is None or ("://" not in self._archive_url and not Path(self._archive_url).is_dir()):
                raise ShelfError(f"{version} cannot be had: {error}") from error
        return LoadedModel.load(ModelStore.in_archive(self._archive_url).get(version), allowed)
