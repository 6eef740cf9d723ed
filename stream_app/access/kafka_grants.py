"""Gives users on a broker what the list of rights says, and shows it as rows or as commands."""

import shlex
from collections.abc import Iterable, Mapping
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from models.access.kafka_settings import KafkaSettings
from models.errors import FraudstreamError
from models.schema.topics import TopicNames
from stream_app.access.kafka_rights import KAFKA_RIGHTS, Right
from stream_app.topic_admin import REQUEST_S, ask

_ITERATIONS: Final = 8192
"""Twice Kafka's least for SCRAM-SHA-512: the passwords are random, so guessing is no danger."""


class UnknownProcessError(FraudstreamError):
    """Raised when rights are asked for a process that there is not."""


class GrantRefusedError(FraudstreamError):
    """Raised when the broker does not take a user or a right."""


def rights_of(processes: Iterable[str], names: TopicNames) -> dict[str, list[Right]]:
    """Return the rights of each process, of KAFKA_RIGHTS.

    Raises
    ------
    UnknownProcessError: there is none of a name.
    """
    rights = {}
    for process in processes:
        if process not in KAFKA_RIGHTS:
            raise UnknownProcessError(f"{process} is none of {', '.join(KAFKA_RIGHTS)}")
        rights[process] = list(KAFKA_RIGHTS[process].rights(names))
    return rights


def as_commands(user: str, rights: Iterable[Right]) -> list[str]:
    """Return the same as arguments of Kafka's own kafka-acls.sh, one line a resource."""
    operations: dict[tuple[str, str, bool], list[str]] = {}
    for right in rights:
        operations.setdefault((right.resource, right.name, right.prefixed), []).append(right.operation)
    return [
        "kafka-acls.sh --bootstrap-server BROKER --command-config ADMIN --add "
        f"--allow-principal {shlex.quote(f'User:{user}')} --{resource.lower()} {shlex.quote(name)} "
        f"--resource-pattern-type {'prefixed' if prefixed else 'literal'} "
        + " ".join(f"--operation {operation.title().replace('_Configs', 'Configs')}" for operation in found)
        for (resource, name, prefixed), found in operations.items()
    ]


def grant(broker: str, rights: Mapping[str, Iterable[Right]]) -> int:
    """Give users their rights and return how many; one that is there already stays.

    Raises
    ------
    GrantRefusedError: this process may not.
    """
    bindings = [_binding(user, right) for user, found in rights.items() for right in found]
    answers = ask(broker, lambda admin: admin.create_acls(bindings, request_timeout=REQUEST_S))
    for binding, answer in answers.items():
        if isinstance(answer, KafkaException):
            raise GrantRefusedError(
                f"the broker does not let user {KafkaSettings.read().user} grant rights, the first "
                f"{binding.operation} on {binding.name} ({answer.args[0].str()}); run this as a super user"
            )
    return len(bindings)


def set_passwords(broker: str, passwords: Mapping[str, str]) -> None:
    """Create SCRAM-SHA-512 users, or give those that are there another password.

    Raises
    ------
    GrantRefusedError: this process may not.
    """
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
    changes: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(user, scram, word.encode()) for user, word in passwords.items()
    ]
    answers = ask(broker, lambda admin: admin.alter_user_scram_credentials(changes, request_timeout=REQUEST_S))
    for user, answer in answers.items():
        if isinstance(answer, KafkaException):
            raise GrantRefusedError(
                f"the broker does not let user {KafkaSettings.read().user} set the password of {user} "
                f"({answer.args[0].str()}); run this as a super user"
            )


def _binding(user: str, right: Right) -> AclBinding:
    return AclBinding(
        ResourceType[right.resource],
        right.name,
        ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        AclOperation[right.operation],
        AclPermissionType.ALLOW,
    )
