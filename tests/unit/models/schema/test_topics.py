"""The topics and their names."""

import pytest

from models.schema import topics
from models.schema.topics import DAY_MS, LONGEST_WINDOW_DAYS, TOPICS, Topic, TopicNames


def test_every_topic_name_is_an_attribute_of_the_names() -> None:
    names = TopicNames("x.")
    assert {getattr(names, bare.replace("-", "_")) for bare in TOPICS} == {f"x.{bare}" for bare in TOPICS}
    assert set(names.all()) == {f"x.{bare}" for bare in TOPICS}


def test_a_name_that_is_no_topic_is_refused() -> None:
    with pytest.raises(KeyError):
        TopicNames().of("transaction")


def test_what_is_co_partitioned_leaves_its_partition_count_open() -> None:
    for bare in (topics.TRANSACTIONS, topics.SCORES, topics.FEATURES):
        assert TOPICS[bare].partitions is None


def test_transactions_reach_back_over_the_longest_window() -> None:
    assert TOPICS[topics.TRANSACTIONS].retention_ms > LONGEST_WINDOW_DAYS * DAY_MS


@pytest.mark.parametrize("output", [topics.SCORES, topics.FEATURES])
def test_outputs_are_kept_at_least_as_long_as_transactions(output: str) -> None:
    assert TOPICS[output].retention_ms >= TOPICS[topics.TRANSACTIONS].retention_ms


def test_profiles_are_compacted_no_sooner_than_after_three_days() -> None:
    settings = TOPICS[topics.PROFILES].settings()
    assert settings["cleanup.policy"] == "compact"
    assert int(settings["min.compaction.lag.ms"]) >= 3 * DAY_MS


def test_a_topic_without_retention_is_kept_for_ever() -> None:
    assert Topic("t", "none", retention_days=None).settings()["retention.ms"] == "-1"
