"""The users of Redis: one for each role, from the list `redis-users.acl`, with the passwords of this installation."""

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from models.errors import FraudstreamError

_CONNECTION: Final = "+@connection -@admin -@dangerous"
"""What a client says of itself when it connects, whatever version it is of; it kills and lists no other client."""
_LEASE: Final = "+eval +exists +get +set +incr +pexpire +del"
_APPEND: Final = (
    "+multi +exec +discard +unwatch (~{prefix}audit ~{prefix}audit-ids +watch +rpush +lindex +lrange +hset +hget) "
    "(~{prefix}audit-published +eval +get +set)"
)
"""Records are added to the audit and none is changed or removed; what is written with them is each role's own."""


class UnknownUserError(FraudstreamError):
    """Raised when a password is given for a user that there is not."""


def redis_rules(prefix: str) -> dict[str, str]:
    """Return each user's rules as Redis reads them, without `on` and password; `prefix` is that of the keys."""
    text = (files("stream_app.access") / "redis-users.acl").read_text()
    joined = " ".join(line.strip() for line in text.splitlines() if not line.startswith("#"))
    rules = {}
    for user in joined.split("user ")[1:]:
        name, _, rule = user.strip().partition(" ")
        for macro, meaning in (("{connection}", _CONNECTION), ("{lease}", _LEASE), ("{append}", _APPEND)):
            rule = rule.replace(macro, meaning)
        rules[name] = rule.replace("{prefix}", prefix)
    return rules


def acl_file(passwords: Mapping[str, str], prefix: str) -> str:
    """Return the content of Redis' `aclfile`: these users, each with its password's SHA-256, and nobody else.

    Raises
    ------
    UnknownUserError: a name is none of the users.
    """
    rules = redis_rules(prefix)
    for name in passwords:
        if name not in rules:
            raise UnknownUserError(f"Redis user {name} is none of {', '.join(rules)}")
    lines = ["user default off resetpass -@all"]
    for name, password in passwords.items():
        digest = hashlib.sha256(password.encode()).hexdigest()
        lines.append(f"user {name} on sanitize-payload #{digest} resetchannels -@all {rules[name]}")
    return "\n".join(lines) + "\n"
