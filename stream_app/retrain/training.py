"""One try of a retrain, from pinned tables to a verdict; the same order gives the same model."""

from collections.abc import Callable, Mapping

import msgspec

from models.bundle import Bundle
from models.gate.gate import Gate
from models.manifest import Lineage
from models.retraining.retrainer import Retrained, Retrainer
from models.schema.topics import DAY_MS
from models.scorer import LoadedModel
from models.signing import AllowedSigners, SigningKey
from models.training import Provenance
from stream_app.archive.history import ArchivedHistory
from stream_app.retrain.making import ArchiveMaking, in_manifest
from stream_app.retrain.training_set import TrainingSet


def retrain(
    making: ArchiveMaking,
    champion: Bundle,
    archive_url: str,
    storage_options: Mapping[str, str],
    *,
    code_commit: str,
    key: SigningKey,
    allowed: AllowedSigners,
    report: Callable[[str], None],
) -> Retrained:
    """Read the rows, make the three fits, and return what came of them.

    Parameters
    ----------
    making: what to train from and how; it goes into the manifest.
    champion: what the candidate is held against.
    archive_url, storage_options: where the tables lie.
    code_commit: for the manifest.
    key: signs.
    allowed: whose champions count.
    report: told what is done.

    Raises
    ------
    FraudstreamError: the archive, the champion or the rows do not suffice.
    """
    request = msgspec.structs.replace(making.request, as_of=making.as_of)
    provenance = Provenance(
        created_at=making.as_of,
        code_commit=code_commit,
        lineage=Lineage(request.request_id, champion.version),
        making=in_manifest(making),
    )
    model = LoadedModel.load(champion, allowed)
    with ArchivedHistory(archive_url, making.table_versions, storage_options) as history:
        report("reading the archive")
        rows = TrainingSet(history, making.as_of, making.maturity_days, making.train_from)
        evidence = rows.read(making.plan.largest_weight, making.fitted_until)
    report(f"{len(evidence.rows):,} rows, {int(evidence.rows.is_fraud.sum()):,} frauds: {evidence.rows.description}")
    return Retrainer(making.plan, Gate(making.limits, making.plan.seed)).retrain(
        request, evidence, model, round(making.maturity_days * DAY_MS), provenance, key, report
    )
