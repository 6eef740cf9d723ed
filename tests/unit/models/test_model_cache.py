"""The last verified bundle survives on disk."""

import pytest

from models.alias import Alias
from models.model_cache import LocalModelCache, ModelCacheError

ALIAS = Alias("champion", "m-1", 3, "ada", "first", 5)


def test_an_empty_cache_has_nothing(tmp_path):
    assert LocalModelCache(tmp_path / "cache").last() is None


def test_the_last_bundle_comes_back_whole_and_the_one_before_is_gone(tmp_path, bundle, make_bundle, allowed):
    cache = LocalModelCache(tmp_path)
    cache.store(make_bundle(created_at=9), ALIAS)
    cache.store(bundle, ALIAS)
    found = cache.last()
    assert found == (bundle, ALIAS)
    assert found[0].verify(allowed).version == bundle.version
    assert len(list(tmp_path.iterdir())) == 2


def test_a_damaged_cache_says_so(tmp_path, bundle):
    cache = LocalModelCache(tmp_path)
    cache.store(bundle, ALIAS)
    (tmp_path / "current" / "alias.json").write_bytes(b"{")
    with pytest.raises(ModelCacheError, match="damaged"):
        cache.last()
