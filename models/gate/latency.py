"""What a row costs: both models timed in turn on the same batch."""

from collections.abc import Callable

import numpy as np

from models.gate.check import Check
from models.gate.gate_rows import GateRows, Scores
from models.gate.limits import GateLimits


def check_latency(
    rows: GateRows, champion: Scores, candidate: Scores, limits: GateLimits, clock: Callable[[], float]
) -> Check:
    """Compare the fastest of some rounds, the two models alternating.

    Whatever else the machine does makes a round slower and never faster, so the fastest says most of the model. The
    limit is the larger of a factor of the champion's time and a floor: noise cannot fail what is fast enough anyway.

    Parameters
    ----------
    clock: gives seconds.
    """
    batch = np.resize(rows.values, (limits.latency_rows, rows.values.shape[1]))
    fastest = [np.inf, np.inf]
    for _ in range(limits.latency_rounds):
        for side, model in enumerate((champion, candidate)):
            began = clock()
            model.score(batch)
            fastest[side] = min(fastest[side], (clock() - began) * 1e6 / limits.latency_rows)
    most = max(limits.latency_factor * fastest[0], limits.latency_floor_us)
    return Check(
        name="latency",
        verdict="pass" if fastest[1] <= most else "fail",
        figure=fastest[1],
        at_most=most,
        unit="microseconds a row",
        sentence=(
            f"the candidate takes {fastest[1]:.2f} microseconds a row in batches of {limits.latency_rows:,}, the "
            f"champion {fastest[0]:.2f}; {most:.2f} are allowed"
        ),
    )
