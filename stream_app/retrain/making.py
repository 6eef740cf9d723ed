"""What a manifest says of how its model was made, complete enough to make it again."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from threadpoolctl import threadpool_limits

from models.errors import FraudstreamError
from models.families.base import Parameter
from models.families.catalogue import DEFAULT_FAMILY
from models.gate.limits import GateLimits
from models.retraining.plan import RetrainPlan
from models.schema.retrain_request import RetrainRequest
from models.side_by_side import own_cores
from models.training import Recipe

MOST_THREADS: Final = 2
"""Sums over threads come out the same with two, in whichever order they end, and not with three."""


class MakingError(FraudstreamError):
    """Raised for a model whose manifest does not say how to make it again."""


class ArchiveMaking(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="archive"):
    """A model that the retrainer made from archived rows.

    Attributes
    ----------
    request: what it was trained for.
    as_of: event time up to which anything was known, ms: that of the request, or of a later try.
    table_versions: the archive's tables.
    fitted_until: by version that was there the event time of its last training row, ms: no score of it on an older row
        counts.
    maturity_days: event days after which labels count as complete.
    train_from: first event day that is trained on; None is the archive's first one behind the warm-up.
    plan: what was tried.
    limits: of the gate.
    """

    request: RetrainRequest
    as_of: int
    table_versions: dict[str, int]
    fitted_until: dict[str, int]
    maturity_days: float
    train_from: int | None
    plan: RetrainPlan
    limits: GateLimits


class SimulatedMaking(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="simulated"):
    """A model that was trained on a simulated bank with the base mix of fraud.

    Attributes
    ----------
    customers, terminals, transactions_per_day: the bank's size.
    days, seed: the bank's past.
    source: what it is called in the description.
    from_day: first day that is trained on, from 0.
    as_of: event time up to which anything was known, ms.
    maturity_ms: age at which labels count as complete.
    family, parameters, fit_seed, hold_out_share, gap_ms, policy, most_genuine: the recipe.
    watched: whether the rows name their terminals, as a drift reference asks for.
    threads: of the fit that is judged; what is fitted side by side has one each.
    """

    customers: int
    terminals: int
    transactions_per_day: float
    days: int
    seed: int
    source: str
    from_day: int
    as_of: int
    maturity_ms: int
    fit_seed: int
    hold_out_share: float
    gap_ms: int
    policy: dict[str, float | int | None]
    threads: int
    family: str = DEFAULT_FAMILY
    parameters: dict[str, Parameter] = {}
    most_genuine: int | None = None
    watched: bool = True


class InvertedMaking(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="inverted"):
    """A demo's bad model, which answers 1 - score.

    Attributes
    ----------
    of: version that it was made from.
    """

    of: str


Making = ArchiveMaking | SimulatedMaking | InvertedMaking


def in_manifest(making: Making) -> dict[str, Any]:
    """Return it as plain data."""
    plain: dict[str, Any] = msgspec.to_builtins(making)
    return plain


def from_manifest(version: str, plain: Mapping[str, Any] | None) -> Making:
    """Return what a manifest says; raises MakingError where it says nothing that this release understands."""
    if plain is None:
        raise MakingError(
            f"{version} does not say how it was made: only models of fraudstream retrain, of models train --simulated "
            "and of the demo can be made again"
        )
    try:
        making: Making = msgspec.convert(plain, type=Making)
        return making
    except msgspec.ValidationError as error:
        raise MakingError(f"{version} was made in a way that this release does not know: {error}") from None


def fit_of(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as the fields of SimulatedMaking."""
    return {
        "family": recipe.family,
        "parameters": dict(recipe.parameters),
        "fit_seed": recipe.seed,
        "hold_out_share": recipe.hold_out_share,
        "gap_ms": recipe.gap_ms,
        "policy": msgspec.to_builtins(recipe.policy),
        "most_genuine": recipe.most_genuine,
    }


def own_threads() -> int:
    """Return how many threads a fit here takes so that it can be repeated."""
    return min(MOST_THREADS, own_cores())


@contextmanager
def fitting_threads(threads: int) -> Iterator[None]:
    """Let fits take so many threads."""
    with threadpool_limits(limits=threads, user_api="openmp"):
        yield
