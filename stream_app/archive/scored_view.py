"""The view `scored`: each score that counts, joined to its feature row, its transaction and what is known of it."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Final

from models.schema.topics import DAY_MS, FEATURES, LABELS, SCORES, TRANSACTIONS

_VIEW: Final = """
WITH kept AS (
    SELECT * FROM {scores} WHERE kept AND {of_days}
),
-- One topic partition and offset is one transaction, but a topic that was created again has them twice.
sent AS (
    SELECT kafka_partition, kafka_offset, transaction_id, max(kafka_timestamp) AS transaction_timestamp,
        any_value(terminal_id) AS terminal_id, any_value(amount_minor) AS amount_minor,
        any_value(currency) AS currency, any_value(mcc) AS mcc, any_value(merchant_country) AS country,
        any_value(channel) AS channel
    FROM {transactions} WHERE {of_days} GROUP BY kafka_partition, kafka_offset, transaction_id
),
used AS (
    SELECT kept.kafka_partition AS at_partition, kept.kafka_offset AS at_offset, features.*
    FROM kept JOIN {features} AS features
        ON features.kafka_partition = kept.kafka_partition AND features.epoch = kept.epoch
        AND features.source_offset = kept.source_offset AND (features.writer = kept.writer OR features.recomputed)
    WHERE features.{of_days}
    QUALIFY row_number() OVER (
        PARTITION BY kept.kafka_partition, kept.kafka_offset, kept.epoch, kept.source_offset
        ORDER BY features.writer = kept.writer AND NOT features.recomputed DESC, features.kafka_offset
    ) = 1
),
stated AS (
    SELECT transaction_id, is_fraud, label_source, labelled_at
    FROM {labels} WHERE {of_days} AND labelled_at <= {as_of_ms}
    QUALIFY row_number() OVER (
        PARTITION BY transaction_id ORDER BY labelled_at DESC, kafka_partition DESC, kafka_offset DESC
    ) = 1
)
SELECT kept.* EXCLUDE (kept),
    coalesce(used.terminal_id, sent.terminal_id) AS terminal_id,
    coalesce(used.amount_minor, sent.amount_minor) AS amount_minor,
    coalesce(used.currency, sent.currency) AS currency,
    coalesce(used.mcc, sent.mcc) AS mcc,
    coalesce(used.country, sent.country) AS country,
    coalesce(used.channel, sent.channel) AS channel,
    coalesce(used.control, false) AS control,
    coalesce(used.pass_probability, CASE kept.decision WHEN 'decline' THEN 0 ELSE 1 END)::FLOAT AS pass_probability,
    used.shadow_scores, used.profiles_as_of, used.recomputed, coalesce(used.verified, false) AS verified, used.values,
    sent.transaction_timestamp, (kept.scored_at - sent.transaction_timestamp)::FLOAT AS latency_ms,
    stated.is_fraud, stated.label_source, stated.labelled_at
FROM kept
LEFT JOIN used
    ON used.at_partition = kept.kafka_partition AND used.at_offset = kept.kafka_offset AND used.epoch = kept.epoch
    AND used.source_offset = kept.source_offset
LEFT JOIN sent
    ON sent.kafka_partition = kept.kafka_partition AND sent.kafka_offset = kept.source_offset
    AND sent.transaction_id = kept.transaction_id
LEFT JOIN stated ON stated.transaction_id = kept.transaction_id
"""


def day_text(day: int) -> str:
    """Return an event day as the partitions write it.

    Examples
    --------
    >>> day_text(17_624)
    '2018-04-03'
    """
    return datetime.fromtimestamp(day * DAY_MS // 1000, UTC).date().isoformat()


def scored_sql(sources: Mapping[str, str], days: Collection[int], as_of_ms: int) -> str:
    """Return the query of the view.

    Parameters
    ----------
    sources: by table what stands behind FROM.
    days: event days; a transaction's score, feature row and labels lie on the same one.
    as_of_ms: statements made later are not known.
    """
    listed = ", ".join(f"DATE '{day_text(day)}'" for day in days) or "NULL"
    return _VIEW.format(
        scores=sources[SCORES],
        transactions=sources[TRANSACTIONS],
        features=sources[FEATURES],
        labels=sources[LABELS],
        of_days=f"event_day IN ({listed})",
        as_of_ms=int(as_of_ms),
    )
