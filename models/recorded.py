"""What the audit says of the registry: where aliases point, what is placed, whether promotions need two persons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from models.alias import MOVE, Alias, AliasMove
from models.audit.chain import AuditError
from models.schema.audit_record import AuditRecord


@dataclass(slots=True)
class Recorded:
    """The state that a chain of records ends in.

    Attributes
    ----------
    aliases: by name.
    placement: sequence of the last placement, None where there was none.
    approvals: whether promotions by hand need two persons.
    """

    aliases: dict[str, Alias] = field(default_factory=dict)
    placement: int | None = None
    approvals: bool = False

    @classmethod
    def of(cls, records: Sequence[AuditRecord]) -> "Recorded":
        """Follow the records, the oldest first."""
        state = cls()
        for record in records:
            if record.kind == MOVE:
                move = AliasMove.of(record)
                state.aliases[move.alias] = move.as_alias()
            elif record.kind == "placement":
                state.placement = int(record.details["sequence"] or 0)
            elif record.kind == "approvals":
                state.approvals = bool(record.details["required"])
            elif record.kind == "restore":
                for name in str(record.details["aliases_left_out"]).split(", "):
                    state.aliases.pop(name, None)
        return state

    def check(self, aliases: Mapping[str, Alias], placement: int, *, approvals: bool) -> None:
        """Raise AuditError where the registry is in another state: something was written that nobody answers for.

        Parameters
        ----------
        aliases, approvals: what the registry has.
        placement: sequence of the one it has, 0 for none.
        """
        for name in sorted({*aliases, *self.aliases}):
            found, known = aliases.get(name), self.aliases.get(name)
            if found != known:
                said = "nothing" if known is None else f"{known.version} (record {known.sequence})"
                has = "nothing" if found is None else f"{found.version} (record {found.sequence})"
                raise AuditError(
                    f"alias {name} is {has} in the registry and {said} in the audit: moved without a record"
                )
        if placement != (self.placement or 0):
            raise AuditError(
                f"the registry has placement {placement}, the audit {self.placement or 0}: placed without a record"
            )
        if approvals != self.approvals:
            raise AuditError(
                f"two-person approval is {_word(approvals)} in the registry and {_word(self.approvals)} in the audit: "
                "switched without a record"
            )


def _word(required: bool) -> str:  # noqa: FBT001  it is the word for it
    return "on" if required else "off"
