"""The hashes that stand for ids."""

import hypothesis.strategies as st
from hypothesis import given

from models.schema.hashing import hash64, hash64_column


def test_the_hash_is_xxh3_and_stays_so() -> None:
    assert hash64(b"") == 0x2D06800538D394C2
    assert hash64("") == 0x2D06800538D394C2


@given(st.lists(st.text("aé9-", max_size=64)))
def test_a_column_holds_the_hash_of_each_text(texts: list[str]) -> None:
    assert hash64_column(texts).tolist() == [hash64(text) for text in texts]
