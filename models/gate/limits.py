"""What the gate asks of a candidate."""

from dataclasses import dataclass, fields

from models.errors import FraudstreamError


class GateError(FraudstreamError):
    """Raised for rows or limits that no candidate can be judged by."""


@dataclass(frozen=True, slots=True)
class GateLimits:
    """Limits of all checks; differences are candidate less champion.

    Attributes
    ----------
    gain_since_change: an incident's candidate must be better than this on the rows since the change. Nothing but better
        ends an incident, and a swap costs attention.
    fewest_frauds: least frauds for an interval of average precision: below it draws of cards say little of its width.
    loss_before_change: how much the same candidate may lose on the other rows. The old fraud goes on; .02 is what 160
        frauds can tell.
    loss_on_schedule: how much a scheduled or asked for candidate may lose: it is there to stay fresh, and a string of
        swaps each worse by .01 would show in the weekly figures.
    fewest_frauds_on_schedule: with fewer the interval of the difference is wider than that margin.
    loss_of_card_precision: two of the hundred cards a day.
    calibration_factor: expected over confirmed frauds may be off by it either way. Review thresholds come from ranks
        and suffer nothing; estimates before labels and what a decline costs do.
    calibration_misplaced: largest calibration error as a share of the share of frauds; what the factor would give.
    loss_in_segment: how much average precision a group may lose. A group is a part of the work, never all of it.
    fewest_frauds_in_segment: as `fewest_frauds`.
    loss_of_recall, loss_of_precision: at the champion's alert rate; of a hundred frauds, or alerts, two.
    loss_of_value_detection: the same by amount; a few large frauds decide it, so the margin is wider.
    change_of_alerts: at the swap, as a share: analysts plan for the champion's alerts.
    latency_factor: candidate's time over the champion's.
    latency_floor_us: time a row below which a model is fast enough, whatever the champion takes. Features, decoding and
        Kafka take about 10 microseconds a row, a boosted model 4 to 5.
    latency_rounds, latency_rows: rounds of which the fastest counts, and rows of a batch.
    falls_with_amount: share of frauds that may look less suspicious when only their amount grows threefold.
    new_declines: share of genuine rows that may be declined for an unknown field alone.
    resamples: of the cards; the limits of the intervals then vary by about 3 % of their width from seed to seed.
    """

    gain_since_change: float = 0.0
    fewest_frauds: int = 30
    loss_before_change: float = 0.02
    loss_on_schedule: float = 0.01
    fewest_frauds_on_schedule: int = 600
    loss_of_card_precision: float = 0.02
    calibration_factor: float = 1.5
    calibration_misplaced: float = 0.5
    loss_in_segment: float = 0.05
    fewest_frauds_in_segment: int = 30
    loss_of_recall: float = 0.02
    loss_of_precision: float = 0.02
    loss_of_value_detection: float = 0.05
    change_of_alerts: float = 0.2
    latency_factor: float = 3.0
    latency_floor_us: float = 20.0
    latency_rounds: int = 15
    latency_rows: int = 500
    falls_with_amount: float = 0.2
    new_declines: float = 0.01
    resamples: int = 512

    def __post_init__(self) -> None:
        """Refuse limits that say nothing."""
        for field in fields(self):
            if getattr(self, field.name) < 0:
                raise GateError(f"gate limit {field.name} is {getattr(self, field.name)}: give 0 or more")
        if self.calibration_factor < 1:
            raise GateError(f"calibration factor {self.calibration_factor} must be 1 or more")
        if min(self.resamples, self.latency_rounds, self.latency_rows, self.fewest_frauds) < 1:
            raise GateError("resamples, latency rounds, latency rows and fewest frauds must be 1 or more")
