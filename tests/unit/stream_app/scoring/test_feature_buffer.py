"""Feature rows of small batches travel together, none of them for long, each once and in order."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from models.features.feature_set import DEFAULT
from models.schema.feature_batch import FeatureBatchEncoder, FeatureRows, ScoredColumns, decode_feature_batch
from models.schema.shadow_scores import ShadowScores
from models.schema.transaction import Transaction
from models.schema.transaction_fields import TransactionFields
from stream_app.scoring.feature_buffer import FeatureBuffer, LoggedRows, Together, joined

AT = 1_525_132_800_000


class Clock:
    """Seconds that pass when the test says so."""

    now_s = 0.0

    def __call__(self) -> float:
        """Return them."""
        return self.now_s


def rows(
    first: int,
    count: int,
    role: Sequence[str] | str = "champion",
    profiles_as_of: int = 0,
    shadow: Sequence[str] = (),
    seconds: float = 0.0,
) -> LoggedRows:
    """Some rows at consecutive offsets; each value is its row's offset."""
    offsets = np.arange(first, first + count)
    taken = TransactionFields.of([Transaction(f"t{at}", AT + at, "c", "m", 1, "EUR") for at in offsets.tolist()])
    values = np.repeat(offsets.astype(np.float32)[:, None], len(DEFAULT), axis=1)
    by_shadow = np.stack([np.full(count, 0.1 * at, np.float32) for at in range(len(shadow) + 1)])
    scored = ScoredColumns(
        source_offset=offsets, score=np.full(count, 0.5, np.float32), decision=np.zeros(count, np.uint8), values=values,
        writer="w", epoch=0, role=role, model_version="m1", profiles_as_of=profiles_as_of, recomputed=False,
        verified=True, pass_probability=np.full(count, 0.25, np.float32),
        shadow_scores=ShadowScores(["m1", *shadow], by_shadow, np.zeros(count, np.intp)) if shadow else None,
    )  # fmt: skip
    return LoggedRows(taken, scored, first, first + count - 1, {"m1": seconds} if seconds else {})


def read(held: Together) -> FeatureRows:
    """What a reader of the message sees."""
    logged = joined(held)
    return decode_feature_batch(FeatureBatchEncoder(DEFAULT.names).encode(logged.taken, logged.scored))


def ends(held: Together) -> tuple[int, int]:
    """The offsets that the message covers."""
    logged = joined(held)
    return logged.first, logged.last


def test_rows_go_out_together_once_there_are_enough() -> None:
    buffer = FeatureBuffer(rows=10, longest_s=1.0, clock=Clock())
    assert buffer.add(rows(0, 4)) == []
    assert buffer.add(rows(4, 4, role=["canary"] * 4)) == []
    (logged,) = buffer.add(rows(8, 4))
    table = read(logged)
    assert ends(logged) == (0, 11)
    assert table.numpy("source_offset").tolist() == list(range(12))
    assert table.strings("role") == ["champion"] * 4 + ["canary"] * 4 + ["champion"] * 4
    assert table.strings("transaction_id") == [f"t{at}" for at in range(12)]
    assert table.values[:, 0].tolist() == list(range(12))
    assert table.numpy("pass_probability").tolist() == [0.25] * 12
    assert buffer.take() == []


def test_the_first_row_does_not_wait_longer_than_it_may() -> None:
    clock = Clock()
    buffer = FeatureBuffer(rows=100, longest_s=1.0, clock=clock)
    buffer.add(rows(0, 1))
    clock.now_s = 0.9
    assert not buffer.due()
    buffer.add(rows(1, 1))
    clock.now_s = 1.0
    assert buffer.due()
    (logged,) = buffer.add(rows(2, 1))
    assert ends(logged) == (0, 2)
    assert not buffer.due()


def test_what_a_message_says_once_for_all_its_rows_is_true_of_all_of_them() -> None:
    buffer = FeatureBuffer(rows=100, longest_s=1.0, clock=Clock())
    buffer.add(rows(0, 2))
    (before,) = buffer.add(rows(2, 2, profiles_as_of=7))
    (without,) = buffer.add(rows(4, 2, profiles_as_of=7, shadow=["m2"]))
    (after,) = buffer.take()
    assert [ends(one) for one in (before, without, after)] == [(0, 1), (2, 3), (4, 5)]
    assert set(read(without).numpy("profiles_as_of").tolist()) == {7}


def test_shadows_and_what_models_took_are_joined() -> None:
    buffer = FeatureBuffer(rows=4, longest_s=1.0, clock=Clock())
    buffer.add(rows(0, 2, shadow=["m2"], seconds=0.5))
    (logged,) = buffer.add(rows(2, 2, shadow=["m2"], seconds=0.25))
    assert joined(logged).model_seconds == {"m1": 0.75}
    np.testing.assert_array_equal(read(logged).scores_of("m2"), np.full(4, 0.1, np.float32))


def test_no_message_grows_beyond_what_a_reader_takes() -> None:
    buffer = FeatureBuffer(rows=20_000, longest_s=1.0, clock=Clock())
    buffer.add(rows(0, 6_000))
    (logged,) = buffer.add(rows(6_000, 6_000))
    assert ends(logged) == (0, 5_999)


def test_batches_that_were_rejected_as_a_whole_are_covered_too() -> None:
    buffer = FeatureBuffer(rows=100, longest_s=1.0, clock=Clock())
    buffer.add(LoggedRows(TransactionFields.of([]), rows(0, 0).scored, 0, 5, {}))
    buffer.add(rows(6, 1))
    (logged,) = buffer.take()
    assert ends(logged) == (0, 6)
    assert len(read(logged)) == 1


def test_parts_of_polls_are_cut_out_where_one_says_for_each_row_what_another_says_once() -> None:
    buffer = FeatureBuffer(rows=100, longest_s=1.0, clock=Clock())
    whole, constant = rows(0, 6), rows(6, 3)
    buffer.add(replace(whole, first=2, last=3, part=slice(2, 4)))
    buffer.add(replace(constant, scored=replace(constant.scored, pass_probability=1.0), part=slice(1, 3)))
    (held,) = buffer.take()
    table = read(held)
    assert table.numpy("source_offset").tolist() == [2, 3, 7, 8]
    assert table.strings("transaction_id") == ["t2", "t3", "t7", "t8"]
    assert table.values[:, 0].tolist() == [2, 3, 7, 8]
    assert table.numpy("pass_probability").tolist() == [0.25, 0.25, 1.0, 1.0]
