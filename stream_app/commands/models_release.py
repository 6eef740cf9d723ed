"""`fraudstream models release` and `unfreeze`: where a release stands, and letting candidates be promoted again."""

import click
from rich.box import SIMPLE
from rich.console import Console, Group, RenderableType
from rich.table import Table

from models.release.plan import ReleasePlan
from models.release.release import ReleasePolicy
from models.release.state import ReleaseState
from models.schema.model_event import Check
from stream_app.commands.connection import redis_option, redis_prefix_option
from stream_app.commands.model_options import actor_option, json_option, reason_option
from stream_app.commands.model_tables import as_json, moment
from stream_app.retrain.release.release_state import ReleaseStore

_COLOURS = {"ok": "green", "broken": "red", "not enough yet": "yellow"}
_STAGES = {
    "idle": "nothing is under way",
    "shadow": "scores beside the champion, decides nothing",
    "canary": "decides for some cards",
    "watch": "is champion; the one before it scores on in shadow",
    "maturing": "is champion; labels of its first days are still to come",
}


@click.command(name="release")
@redis_option
@redis_prefix_option
@json_option
def release_command(redis_url: str, redis_prefix: str, json_only: bool) -> None:
    """Show which model is being brought into use or watched, and how its guardrails stand."""
    state = ReleaseStore(redis_url, redis_prefix).read()
    if json_only:
        click.echo(as_json(state))
    else:
        Console().print(_shown(state))


@click.command(name="unfreeze")
@actor_option
@reason_option
@redis_option
@redis_prefix_option
@json_option
def unfreeze_command(actor: str, reason: str, redis_url: str, redis_prefix: str, json_only: bool) -> None:
    """Let candidates that pass the gate be promoted again after a roll-back."""
    # The plan says how long stages last; lifting a freeze asks for none of it.
    policy = ReleasePolicy(ReleasePlan())
    state = ReleaseStore(redis_url, redis_prefix).change(lambda found: policy.unfreeze(found, actor, reason))
    if json_only:
        click.echo(as_json(state))
    else:
        click.echo(f"candidates are promoted automatically again ({actor}: {reason})")


def _shown(state: ReleaseState) -> RenderableType:
    facts = Table(show_header=False, title="Release", title_justify="left", box=SIMPLE)
    rows = {
        "stage": f"{state.stage}: {_STAGES[state.stage]}",
        "model": state.version if state.stage != "idle" else None,
        "compared with": state.baseline if state.stage != "idle" else None,
        "champion": state.champion,
        "waits": None if state.offered is None else state.offered.version,
        "transactions": f"{state.rows:,}" if state.compares else None,
        "event time": f"{moment(state.as_of)} UTC" if state.as_of else None,
        "promoted": f"{moment(state.promoted_at)} UTC" if state.promoted_at is not None else None,
        "request": state.request_id if state.stage != "idle" else None,
        "incident": state.incident if state.stage != "idle" else None,
        "frozen": state.frozen,
        "to be done": f"{len(state.pending)} actions" if state.pending else None,
    }
    for name, text in rows.items():
        if text is not None:
            facts.add_row(name, text)
    return Group(facts, *([_table(state.checks)] if state.checks else []))


def _table(checks: tuple[Check, ...]) -> Table:
    table = Table("guardrail", "figure", "limit", "verdict", "what it says", box=SIMPLE)
    for check in checks:
        colour = _COLOURS[check.verdict]
        figures = ("" if figure is None else f"{figure:.3f}" for figure in (check.figure, check.limit))
        table.add_row(check.name, *figures, f"[{colour}]{check.verdict}[/{colour}]", check.sentence)
    return table
