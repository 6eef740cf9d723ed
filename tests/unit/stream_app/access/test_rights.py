"""The lists of rights: what they say, in which forms, and that the page says the same."""

import re
from pathlib import Path

import pytest

from models.schema.topics import TOPICS, TopicNames
from stream_app.access.kafka_grants import UnknownProcessError, as_commands, rights_of
from stream_app.access.kafka_rights import KAFKA_RIGHTS, Right
from stream_app.access.redis_users import UnknownUserError, acl_file, redis_rules
from stream_app.retrain.request_source import GROUP

PAGE = Path(__file__).parents[4] / "docs" / "operations" / "access.md"


def rows_of(heading: str) -> dict[str, list[str]]:
    section = PAGE.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return {row[0].partition(" ")[0]: row[1:] for row in rows[2:]}


def test_rights_are_on_full_names_and_bring_what_a_look_at_a_topic_needs() -> None:
    rights = rights_of(["retrain"], TopicNames("bank."))["retrain"]
    assert Right("TOPIC", "bank.model-events", "WRITE") in rights
    assert Right("TOPIC", "bank.features", "READ") in rights
    assert Right("TOPIC", "bank.features", "WRITE") not in rights
    assert Right("GROUP", f"bank.{GROUP}", "READ") in rights
    looked_at = {right.name for right in rights if right.operation == "DESCRIBE_CONFIGS"}
    assert looked_at == {right.name for right in rights if right.resource == "TOPIC"}
    assert (
        Right("GROUP", "fraudstream-archive", "READ", prefixed=True) in rights_of(["archive"], TopicNames())["archive"]
    )


def test_commands_say_the_same_to_kafkas_own_tool() -> None:
    lines = as_commands("score", rights_of(["score"], TopicNames())["score"])
    assert (
        "kafka-acls.sh --bootstrap-server BROKER --command-config ADMIN --add --allow-principal User:score "
        "--topic scores --resource-pattern-type literal --operation Read --operation Write --operation DescribeConfigs"
    ) in lines


def test_a_process_that_there_is_not_is_refused() -> None:
    with pytest.raises(UnknownProcessError, match="scorer is none of score, watch"):
        rights_of(["scorer"], TopicNames())


def test_every_topic_is_read_and_written_by_somebody() -> None:
    processes = KAFKA_RIGHTS.values()
    assert {topic for one in processes for topic in one.writes} == set(TOPICS)
    assert {topic for one in processes for topic in one.reads} == set(TOPICS)


def test_the_page_lists_the_rights_on_kafka() -> None:
    rows = rows_of("Rights on Kafka")
    assert rows.keys() == KAFKA_RIGHTS.keys()
    for process, (reads, writes, groups) in rows.items():
        has = KAFKA_RIGHTS[process]
        assert set(has.reads) == (set(TOPICS) if reads == "all topics" else set(filter(None, reads.split(", "))))
        assert set(has.writes) == set(filter(None, writes.partition(";")[0].split(", ")))
        assert {*has.groups, *has.prefixed_groups} == set(filter(None, groups.split(", ")))


def test_the_page_lists_the_users_of_redis() -> None:
    assert rows_of("Users of Redis").keys() == redis_rules("").keys()


def test_an_acl_file_holds_no_password_and_nobody_else() -> None:
    content = acl_file({"score": "s3cret", "archive": "other"}, "bank:")
    assert "s3cret" not in content
    assert [line.split()[:3] for line in content.splitlines()] == [
        ["user", "default", "off"],
        ["user", "score", "on"],
        ["user", "archive", "on"],
    ]
    assert "%R~bank:aliases" in content
    assert not re.search(r"[{}]", content)
    with pytest.raises(UnknownUserError, match="Redis user scorer is none of score"):
        acl_file({"scorer": "x"}, "bank:")
