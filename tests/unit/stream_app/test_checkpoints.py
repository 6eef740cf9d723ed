"""The store of checkpoints: what is read back is what was written, or an error."""

import hashlib
import json
import shutil
import struct
from pathlib import Path
from typing import Any

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


def test_the_newest_readable_one_is_found_behind_a_broken_one_which_is_named(
    store: CheckpointStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.write("kind", "a", {"offset": 1}, {})
    store.write("kind", "b", {"offset": 2}, {})
    path = Path(store.url) / "kind" / "b"
    path.write_bytes(path.read_bytes()[:20])
    newest = store.newest("kind")
    assert newest is not None
    assert newest.name == "a"
    assert "passed over: checkpoint kind/b is cut short" in caplog.text


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


def sealed(content: bytes) -> bytes:
    """A file with a right checksum, whatever it holds."""
    return content + hashlib.blake2b(content, digest_size=32).digest()


def claiming(**claims: Any) -> bytes:
    """A checkpoint that says of its one array of 16 bytes what it is told to say."""
    array = {"name": "numbers", "dtype": "<i8", "shape": [2], "offset": 0} | claims
    preamble = json.dumps({"header": {}, "arrays": [array]}).encode()
    return sealed(b"FSCP0001" + struct.pack("<Q", len(preamble)) + preamble + bytes(16))


@pytest.mark.parametrize(
    "claims",
    [
        {"shape": [3]},
        {"shape": [2**62]},
        {"shape": [2**40, 2**40]},
        {"shape": [-1]},
        {"shape": [1] * 100},
        {"shape": [1e400]},
        {"shape": "2"},
        {"offset": 8},
        {"offset": -8},
        {"offset": 2**63},
        {"dtype": "|O"},
        {"dtype": "O"},
        {"dtype": "<U0"},
        {"dtype": "|V0", "shape": [2**60]},
        {"dtype": "|V9999"},
        {"dtype": "nothing"},
        {"dtype": "i4,(2,)f8"},
        {"dtype": []},
        {"dtype": [["a", "<i8"], ["a", "<i8"]]},
        {"dtype": [["a"]]},
        {"dtype": [["a", "<i8", [2**31, 2**31]]]},
        {"dtype": [["a", [["b", "O"]]]]},
        {"dtype": {"names": ["a"], "formats": ["<i8"]}},
        {"dtype": None},
        {"name": 7},
    ],
)
def test_an_array_that_claims_what_is_not_there_is_refused_before_it_is_made(
    store: CheckpointStore, claims: dict[str, Any]
) -> None:
    store.write("kind", "name", {}, {})
    path = Path(store.url) / "kind" / "name"
    path.write_bytes(claiming())
    assert store.read("kind", "name").arrays["numbers"].tolist() == [0, 0]
    path.write_bytes(claiming(**claims))
    with pytest.raises(CheckpointError, match="kind/name was not written by this program"):
        store.read("kind", "name")


@given(st.binary(max_size=200), st.integers(0, 2**64 - 1))
def test_whatever_a_checkpoint_with_a_right_checksum_holds_it_is_read_or_refused(
    tmp_path_factory, preamble: bytes, length: int
) -> None:
    folder = tmp_path_factory.mktemp("store")
    store = CheckpointStore(str(folder))
    (folder / "kind").mkdir()
    for said in (length, len(preamble)):
        (folder / "kind" / "name").write_bytes(sealed(b"FSCP0001" + struct.pack("<Q", said) + preamble))
        with pytest.raises(CheckpointError, match="kind/name"):
            store.read("kind", "name")


def test_a_checkpoint_of_another_format_says_so(store: CheckpointStore) -> None:
    store.write("kind", "name", {}, {})
    path = Path(store.url) / "kind" / "name"
    path.write_bytes(path.read_bytes().replace(b"FSCP0001", b"FSCP0002", 1))
    with pytest.raises(CheckpointError, match=r"'FSCP0002'; this release reads FSCP0001"):
        store.read("kind", "name")


@pytest.mark.parametrize("written", [np.array([1, 2**40], ">i8"), np.array([(1, 2.5)], [("at", ">i8"), ("v", ">f4")])])
def test_a_checkpoint_of_a_machine_with_another_byte_order_is_read_in_this_ones(
    store: CheckpointStore, written: np.ndarray
) -> None:
    store.write("kind", "name", {}, {"numbers": written})
    read = store.read("kind", "name").arrays["numbers"]
    assert read.dtype == written.dtype.newbyteorder("=")
    assert read.dtype.isnative
    assert read.tolist() == written.tolist()


def test_a_folder_that_was_moved_is_read_as_it_was(store: CheckpointStore, tmp_path: Path) -> None:
    store.write("kind", "name", {"offset": 7}, {"numbers": np.arange(3)})
    shutil.move(store.url, tmp_path / "elsewhere")
    assert CheckpointStore(str(tmp_path / "elsewhere")).read("kind", "name").arrays["numbers"].tolist() == [0, 1, 2]
