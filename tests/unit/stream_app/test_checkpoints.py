"""The store of checkpoints: what is read back is what was written, or an error."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stream_app.checkpoints import CheckpointError, CheckpointStore

PAIR = np.dtype([("at", np.int64), ("value", np.float32)], align=True)


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(str(tmp_path / "deep" / "folder"))


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8),
        arrays.arrays(
            st.sampled_from([np.int8, np.uint16, np.int64, np.uint64, np.float32, np.bool_]),
            arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5),
        ),
        max_size=4,
    )
)
def test_any_arrays_are_read_back_as_they_were_written(tmp_path_factory, written: dict[str, np.ndarray]) -> None:
    store = CheckpointStore(str(tmp_path_factory.mktemp("store")))
    store.write("kind", "name", {"offset": 7, "parent": None}, written)
    checkpoint = store.read("kind", "name")
    assert checkpoint.header == {"offset": 7, "parent": None}
    assert list(checkpoint.arrays) == list(written)
    for name, array in written.items():
        assert checkpoint.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(checkpoint.arrays[name], array)


def test_arrays_of_records_keep_their_layout(store: CheckpointStore) -> None:
    written = np.array([(1, 2.5), (3, -1.0)], PAIR)
    store.write("kind", "name", {}, {"pairs": written})
    read = store.read("kind", "name").arrays["pairs"]
    assert read.dtype == PAIR
    np.testing.assert_array_equal(read, written)


@given(data=st.data())
def test_a_checkpoint_cut_short_or_bent_anywhere_is_never_read_as_whole(tmp_path_factory, data) -> None:
    folder = tmp_path_factory.mktemp("store")
    store = CheckpointStore(str(folder))
    store.write("kind", "name", {"offset": 7}, {"numbers": np.arange(20)})
    path = folder / "kind" / "name"
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[at:]
    else:
        content[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="kind/name"):
        store.read("kind", "name")


def test_names_are_sorted_and_know_nothing_of_what_is_half_written(store: CheckpointStore) -> None:
    assert store.names("kind") == []
    for name in ("b", "a", "c"):
        store.write("kind", name, {}, {})
    (Path(store.url) / "kind" / ".d.half").write_bytes(b"x")
    assert store.names("kind") == ["a", "b", "c"]


def test_the_newest_readable_one_is_found_behind_a_broken_one(store: CheckpointStore) -> None:
    store.write("kind", "a", {"offset": 1}, {})
    store.write("kind", "b", {"offset": 2}, {})
    path = Path(store.url) / "kind" / "b"
    path.write_bytes(path.read_bytes()[:20])
    newest = store.newest("kind")
    assert newest is not None
    assert newest.name == "a"


def test_deleting_what_is_gone_is_no_error(store: CheckpointStore) -> None:
    store.write("kind", "a", {}, {})
    store.delete("kind", "a")
    store.delete("kind", "a")
    assert store.names("kind") == []


def test_a_storage_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="file"):
        CheckpointStore(str(tmp_path / "file" / "folder"))
    with pytest.raises(CheckpointError, match="nothing://"):
        CheckpointStore("nothing://bucket")
