"""What the marks on a decision mean, as sentences."""

from collections.abc import Iterator

from stream_app.console.transaction.decision import Decision


def remarks(decision: Decision) -> Iterator[str]:
    """Yield a sentence for every mark that is not the usual one."""
    score, feature = decision.score, decision.feature
    if score.degraded:
        yield (
            "Degraded: scored while something was missing, such as recent history or the registry, or after it had "
            "waited too long, and then without reasons."
        )
    if score.duplicate:
        yield "Duplicate: this identifier stood in its card's recent history already; it is scored and not counted."
    if score.role == "canary":
        yield "Decided by a canary: a new model on trial for a share of the cards."
    if score.epoch:
        yield f"Scored in epoch {score.epoch}: somebody went on behind a changed input, see the audit."
    if feature is None:
        yield "The feature log has no row of it any more: it can be neither explained nor computed again."
        return
    if feature.control:
        yield (
            f"Control group: the model would have declined it; it was let pass at random, with a probability of "
            f"{feature.pass_probability:.1%}, so that declines are measured too."
        )
    elif 0 < feature.pass_probability < 1:
        yield f"It could have passed at random into the control group: a chance of {feature.pass_probability:.1%}."
    if feature.recomputed:
        outcome = "the same score came out" if feature.verified else "another score came out, so nobody trains on it"
        yield f"Its feature row was lost and computed again at a restart; {outcome}."
    if decision.transaction is None:
        yield "The payment itself is in the topic and the archive no more; what stands here is from the feature log."
