"""Small rows, keys and bundles for the tests of models."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from models.bundle import Bundle
from models.signing import AllowedSigners, SigningKey
from tests.unit.models.small_model import made_bundle, made_rows

Table = tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]


@pytest.fixture(scope="session")
def rows() -> Table:
    """4,000 rows of 12 features: counts, amounts, unknown values, one feature that is never known; and their labels."""
    return made_rows(4000, 12, seed=1)


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return SigningKey.load_or_create(tmp_path_factory.mktemp("keys") / "signing-key.pem")


@pytest.fixture(scope="session")
def allowed(key: SigningKey) -> AllowedSigners:
    return AllowedSigners.of([key.public_key])


@pytest.fixture(scope="session")
def make_bundle(key: SigningKey) -> Callable[..., Bundle]:
    """Makes a small signed bundle for the default feature set: `make_bundle(created_at=2, family="lightgbm")`."""

    def make(**changes: Any) -> Bundle:
        return made_bundle(key, **changes)

    return make


@pytest.fixture(scope="session")
def bundle(make_bundle: Callable[..., Bundle]) -> Bundle:
    return make_bundle()


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FRAUDSTREAM_DATA", str(tmp_path / "data"))
    return tmp_path / "data"
