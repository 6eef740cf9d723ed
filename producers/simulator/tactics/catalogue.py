"""All fraud tactics by name, and the checks of a script against them."""

from collections.abc import Sequence

from producers.simulator.script import Phase, ScriptError, TacticScript
from producers.simulator.tactics.account_takeover import AccountTakeover
from producers.simulator.tactics.card_testing import CardTesting
from producers.simulator.tactics.lost_or_stolen import LostOrStolen
from producers.simulator.tactics.merchant_collusion import MerchantCollusion
from producers.simulator.tactics.tactic import Tactic
from producers.simulator.tactics.terminal_compromise import TerminalCompromise
from producers.simulator.tactics.triangulation import Triangulation

_ALL: tuple[Tactic, ...] = (
    CardTesting(),
    TerminalCompromise(),
    AccountTakeover(),
    LostOrStolen(),
    MerchantCollusion(),
    Triangulation(),
)
TACTICS: dict[str, Tactic] = {tactic.kind: tactic for tactic in _ALL}
MOST_SCRIPTS = 255


def check_scripts(scripts: Sequence[TacticScript]) -> None:
    """Refuse scripts that cannot be played.

    Raises
    ------
    ScriptError
        For an unknown kind or variant, phases out of order, or one name for two tactics.
    """
    titles = [script.title for script in scripts]
    for script in scripts:
        tactic = TACTICS.get(script.kind)
        if tactic is None:
            raise ScriptError(f"no tactic '{script.kind}'; there are: {', '.join(TACTICS)}")
        if titles.count(script.title) > 1:
            raise ScriptError(f"two tactics are named '{script.title}'; give one of them another name=")
        _check_phases(script, tactic)
    if len(scripts) > MOST_SCRIPTS:
        raise ScriptError(f"{len(scripts)} tactics at once; at most {MOST_SCRIPTS}")


def _check_phases(script: TacticScript, tactic: Tactic) -> None:
    if not script.phases:
        raise ScriptError(f"tactic '{script.title}' has no phase; give it one with a start_day")
    previous: Phase | None = None
    for phase in script.phases:
        if phase.variant not in tactic.variants:
            known = ", ".join(tactic.variants)
            raise ScriptError(f"tactic '{script.title}': no variant '{phase.variant}'; there are: {known}")
        if phase.stop_day is not None and phase.stop_day <= phase.start_day:
            raise ScriptError(
                f"tactic '{script.title}': stop_day {phase.stop_day} is not after start_day {phase.start_day}"
            )
        if previous is not None and (previous.stop_day is None or phase.start_day < previous.stop_day):
            raise ScriptError(
                f"tactic '{script.title}': the phase from day {phase.start_day} starts before the one from day "
                f"{previous.start_day} stops; give that a stop_day of at most {phase.start_day}"
            )
        previous = phase
