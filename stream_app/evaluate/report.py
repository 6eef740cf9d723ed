"""The figures of a run: one JSON object, or a table beside published figures."""

from dataclasses import dataclass, fields
from statistics import fmean

import msgspec
from rich.console import Console
from rich.table import Table

from models.metrics.handbook import HandbookFigures

PUBLISHED = (
    ("logistic regression", HandbookFigures(0.870, 0.605, 0.291)),
    ("random forest", HandbookFigures(0.867, 0.658, 0.287)),
    ("XGBoost", HandbookFigures(0.862, 0.639, 0.273)),
)
"""First test week, by the protocol. Source: Le Borgne, Siblini, Lebichot, Bontempi, "Reproducible Machine Learning
for Credit Card Fraud Detection - Practical Handbook" (2022), chapter 3, "Baseline fraud detection system"."""


@dataclass(frozen=True, slots=True)
class WeekReport:
    """One test week."""

    from_day: int
    auc: float
    ap: float
    cp100: float
    offline_ap: float
    all_rows: HandbookFigures


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """What `fraudstream evaluate handbook --json` prints; `docs/contracts/metrics.md` defines every key.

    `largest_feature_difference` is between a value as used and the same value computed offline;
    `unequal_feature_rows` how many rows differ at all; `rows_of_another_step` how many rows saw other profiles than
    those of their own step.
    """

    weeks: list[WeekReport]
    mean: HandbookFigures
    youngest_label_days: float
    lost: int
    duplicated: int
    transactions: int
    largest_feature_difference: float
    unequal_feature_rows: int
    rows_of_another_step: int
    elapsed_s: float

    def json(self) -> str:
        """One JSON object on one line."""
        return msgspec.json.encode(self).decode()

    def print_to(self, console: Console) -> None:
        """A table, and below it what holds the figures together."""
        table = Table(title="Fraud Detection Handbook, test weeks through the stream")
        for heading in ("", "AUC", "AP", "CP@100", "AP offline", "all rows: AUC", "AP", "CP@100"):
            table.add_column(heading, justify="right" if heading else "left")
        for week in self.weeks:
            rest = (f"{week.offline_ap:.4f}", *_figures(week.all_rows))
            table.add_row(f"week from day {week.from_day}", *_figures(week), *rest)
        table.add_row("mean", *_figures(self.mean), end_section=True, style="bold")
        for name, figures in PUBLISHED:
            table.add_row(f"published, first week: {name}", *_figures(figures))
        console.print(table)
        console.print(
            "Published: Le Borgne et al., Reproducible Machine Learning for Credit Card Fraud Detection, chapter 3."
        )
        console.print(
            f"{self.transactions:,} transactions in {self.elapsed_s:.0f} s; "
            f"lost {self.lost}, duplicated {self.duplicated}; "
            f"youngest label used: {self.youngest_label_days:.3f} days old"
        )
        console.print(
            f"features against offline: {self.unequal_feature_rows} rows differ, "
            f"by at most {self.largest_feature_difference:g}; "
            f"{self.rows_of_another_step} rows with profiles of another step"
        )


def mean_figures(weeks: list[WeekReport]) -> HandbookFigures:
    """The mean of each figure over the weeks."""
    names = [field.name for field in fields(HandbookFigures)]
    return HandbookFigures(*(fmean(getattr(week, name) for week in weeks) for name in names))


def _figures(of: HandbookFigures | WeekReport) -> tuple[str, str, str]:
    return f"{of.auc:.3f}", f"{of.ap:.3f}", f"{of.cp100:.3f}"
