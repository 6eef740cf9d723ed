"""Partitions as Kafka's Java client chooses them."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from models.schema.murmur2 import murmur2, murmur2_partition, murmur2_partitions

# From org.apache.kafka.common.utils.UtilsTest.
JAVA_HASHES = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "java_hash"), JAVA_HASHES.items())
def test_hashes_are_those_of_the_java_client(key: bytes, java_hash: int) -> None:
    assert murmur2(key) == java_hash % 2**32


@given(st.lists(st.binary(max_size=70)), st.integers(1, 1000))
def test_a_batch_gets_the_partitions_of_its_keys(keys: list[bytes], partitions: int) -> None:
    assert murmur2_partitions(keys, partitions).tolist() == [murmur2_partition(key, partitions) for key in keys]


def test_no_keys_have_no_partitions() -> None:
    assert murmur2_partitions([], 4).tolist() == []
