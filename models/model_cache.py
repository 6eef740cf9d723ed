"""The last verified bundle on local disk, for a start while Redis is down."""

import shutil
import tempfile
from pathlib import Path

import msgspec

from models.alias import Alias
from models.bundle import Bundle
from models.errors import FraudstreamError
from models.schema import wire

_FILES = {"manifest_bytes": "manifest.json", "onnx": "model.onnx", "signature": "signature", "signer": "signer"}


class ModelCacheError(FraudstreamError):
    """Raised when the folder cannot be written or read."""


class LocalModelCache:
    """A folder that holds one bundle, readable as plain files, and the alias it was fetched under."""

    def __init__(self, folder: Path) -> None:
        """Keep the place; nothing is written before `store`."""
        self._folder = folder

    def store(self, bundle: Bundle, alias: Alias) -> None:
        """Replace what is kept; whoever reads meanwhile finds the old bundle or the new one, whole."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = Path(tempfile.mkdtemp(prefix=f"{bundle.version}-", dir=self._folder))
            for attribute, name in _FILES.items():
                content = getattr(bundle, attribute)
                (fresh / name).write_bytes(content.encode() if isinstance(content, str) else content)
            (fresh / "alias.json").write_bytes(msgspec.json.encode(alias))
            pointer = fresh / "pointer"
            pointer.symlink_to(fresh.name)
            pointer.replace(self._folder / "current")
            for other in self._folder.iterdir():
                if other.name not in ("current", fresh.name):
                    shutil.rmtree(other, ignore_errors=True)
        except OSError as error:
            raise ModelCacheError(f"model cache {self._folder} cannot be written: {error.strerror}; free it") from error

    def last(self) -> tuple[Bundle, Alias] | None:
        """Return what was stored last, not yet verified; None when nothing was."""
        current = self._folder / "current"
        if not current.exists():
            return None
        try:
            found = {attribute: (current / name).read_bytes() for attribute, name in _FILES.items()}
            alias = wire.decode(Alias, (current / "alias.json").read_bytes())
        except (OSError, wire.RecordError) as error:
            raise ModelCacheError(f"model cache {self._folder} is damaged ({error}); remove it") from error
        bundle = Bundle(
            found["manifest_bytes"], found["onnx"], found["signature"], found["signer"].decode("ascii", "replace")
        )
        return bundle, alias
