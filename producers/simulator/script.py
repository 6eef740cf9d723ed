"""The timetable of fraud: when each tactic starts, grows, changes and stops."""

import re
from typing import Annotated

import msgspec

from models.errors import FraudstreamError, one_line

Day = Annotated[int, msgspec.Meta(ge=0, le=36_500)]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=0.2)]
Strength = Annotated[float, msgspec.Meta(ge=0.1, le=10.0)]
Name = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,39}$")]

BASE_VARIANT = "base"


class ScriptError(FraudstreamError):
    """Raised when a timetable of fraud does not make sense."""


class Phase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One stretch of a tactic's life.

    Parameters
    ----------
    start_day
        First day of the phase.
    stop_day
        First day after the phase; None for no end.
    share
        Fraud of this tactic as a fraction of an average day's genuine transactions, once grown. At most 0.2.
    grow_days
        Days over which the share rises in equal steps; 0 for all of it from the first day.
    strength
        How far the fraud stands out, where the tactic has something to exaggerate: 1 is the tactic's own measure.
    variant
        Which way of working; every tactic has `base` and at least one other.
    """

    start_day: Day = 0
    stop_day: Day | None = None
    share: Share = 0.001
    grow_days: Day = 0
    strength: Strength = 1.0
    variant: str = BASE_VARIANT

    def covers(self, day: int) -> bool:
        """Return whether the phase is on, on that day."""
        return self.start_day <= day and (self.stop_day is None or day < self.stop_day)

    def share_on(self, day: int) -> float:
        """Return the share on a day of the phase.

        Examples
        --------
        >>> phase = Phase(start_day=10, share=0.004, grow_days=4)
        >>> [phase.share_on(day) for day in (9, 10, 11, 13, 20)]
        [0.0, 0.001, 0.002, 0.004, 0.004]
        """
        if not self.covers(day):
            return 0.0
        return self.share * min(1.0, (day - self.start_day + 1) / max(1, self.grow_days))


class TacticScript(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The life of one tactic: which kind, under which name, in which phases.

    The name is what the ground truth calls it; two scripts of one kind need two names.
    """

    kind: Name
    phases: tuple[Phase, ...]
    name: Name | None = None

    @property
    def title(self) -> str:
        """The name, or else the kind."""
        return self.name or self.kind

    def phase_on(self, day: int) -> Phase | None:
        """Return the phase that is on, or None."""
        return next((phase for phase in self.phases if phase.covers(day)), None)


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole timetable: the tactics, and whether the built-in base mix goes on beside them."""

    tactics: tuple[TacticScript, ...] = ()
    base_mix: bool = True


BASE_MIX: tuple[TacticScript, ...] = (
    TacticScript("card_testing", (Phase(share=0.0008),)),
    TacticScript("terminal_compromise", (Phase(share=0.0012),)),
    TacticScript("account_takeover", (Phase(share=0.0008),)),
    TacticScript("lost_or_stolen", (Phase(share=0.0006),)),
    TacticScript("merchant_collusion", (Phase(share=0.0008),)),
)
"""Fraud from day 0 on, as much on every day: 0.42 % of the genuine transactions."""


def parse_script(text: bytes, source: str) -> Script:
    """Read a timetable from JSON.

    Raises
    ------
    ScriptError
        Naming the place in the document and what is wrong there.

    Examples
    --------
    >>> script = parse_script(b'{"tactics": [{"kind": "card_testing", "phases": [{"start_day": 40}]}]}', "drift.json")
    >>> script.tactics[0].phases[0].start_day, script.base_mix
    (40, True)
    """
    try:
        return msgspec.json.decode(text, type=Script)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ScriptError(f"{source}: {one_line(error)}; the fields are listed in docs/simulator.md") from None


def parse_tactic(text: str) -> TacticScript:
    """Read a tactic in one phase from the command line: KIND:field=value,field=value.

    Raises
    ------
    ScriptError
        Naming the field and its remedy.

    Examples
    --------
    >>> parse_tactic("card_testing:start_day=40,share=0.002,strength=2").phases[0].strength
    2.0
    """
    text = " ".join(text.split())
    kind, _, rest = text.partition(":")
    pairs = [pair.partition("=") for pair in rest.split(",") if pair]
    fields = {key.strip(): value.strip() for key, separator, value in pairs if separator}
    if len(fields) < len(pairs):
        raise ScriptError(f"--tactic {text[:80]}: write KIND:field=value,field=value, each field once")
    name = fields.pop("name", None) or _wave_name(kind, fields)
    try:
        phase = msgspec.convert({key: _number(value) for key, value in fields.items()}, Phase)
        return msgspec.convert({"kind": kind, "phases": [phase], "name": name}, TacticScript)
    except msgspec.ValidationError as error:
        known = ", ".join((*Phase.__struct_fields__, "name"))
        raise ScriptError(f"--tactic {text[:80]}: {one_line(error)}; the fields are {known}") from None


def _number(text: str) -> int | float | str:
    """Return the number that a text is, else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _wave_name(kind: str, fields: dict[str, str]) -> str:
    """Name a tactic that was ordered on the command line after what makes it different from the base mix."""
    parts = (kind, fields.get("variant", ""), f"day_{fields.get('start_day', '0')}")
    return re.sub(r"[^a-z0-9_]", "_", "_".join(part for part in parts if part))[:40]
