"""Two versions side by side."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from models.manifest import Manifest
from stream_app.console.models.card import facts


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One thing of both; `difference` is that of two numbers, second less first."""

    name: str
    first: str
    second: str
    difference: str = ""

    @property
    def differs(self) -> bool:
        """Whether the two are not the same."""
        return self.first != self.second


@dataclass(frozen=True, slots=True)
class ComparedTable:
    """Rows under a heading; `note` says what the figures rest on."""

    name: str
    rows: tuple[ComparedRow, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions.

    Attributes
    ----------
    first, second: the versions.
    tables: what they are, then their figures.
    only_first, only_second: features that the other does not have.
    """

    first: str
    second: str
    tables: tuple[ComparedTable, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]

    @classmethod
    def of(cls, first: Manifest, second: Manifest) -> Self:
        """Compare two manifests."""
        one, other = facts(first), facts(second)
        parameters = _texts(first.parameters), _texts(second.parameters)
        tables = [
            ComparedTable("What they are", tuple(ComparedRow(name, one[name], other[name]) for name in one)),
            ComparedTable("Parameters", tuple(_named(*parameters))),
            *_figures(first, second),
        ]
        return cls(
            first=first.version,
            second=second.version,
            tables=tuple(table for table in tables if table.rows),
            only_first=tuple(name for name in first.feature_names if name not in second.feature_names),
            only_second=tuple(name for name in second.feature_names if name not in first.feature_names),
        )


def _figures(first: Manifest, second: Manifest) -> Iterator[ComparedTable]:
    for name in dict.fromkeys((*first.metrics, *second.metrics)):
        one, other = first.metrics.get(name), second.metrics.get(name)
        values = {} if one is None else one.values, {} if other is None else other.values
        rows = []
        for figure in dict.fromkeys((*values[0], *values[1])):
            found = values[0].get(figure), values[1].get(figure)
            difference = "" if found[0] is None or found[1] is None else f"{found[1] - found[0]:+.4f}"
            rows.append(ComparedRow(figure.replace("_", " "), _text(found[0]), _text(found[1]), difference))
        same = one is not None and other is not None and _rows(one) == _rows(other)
        note = "on the same rows" if same else "not on the same rows: a difference may be the rows'"
        yield ComparedTable(name.replace("_", " "), tuple(rows), note)


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _rows(figures: object) -> tuple[object, ...]:
    return tuple(getattr(figures, name) for name in ("from_event_time", "to_event_time", "rows", "frauds"))


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def _named(first: Mapping[str, str], second: Mapping[str, str]) -> Iterator[ComparedRow]:
    for name in dict.fromkeys((*first, *second)):
        yield ComparedRow(name, first.get(name, ""), second.get(name, ""))
