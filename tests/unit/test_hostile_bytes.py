"""Every decoder on what almost is its record: it gives a value or its own error, on one line, soon, and nothing else.

FRAUDSTREAM_FUZZ_TRIES says how often each decoder is tried, FRAUDSTREAM_FUZZ_SEED which tries these are.
"""

import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from models.alias import Alias
from models.control_group import NO_CONTROL_GROUP, ControlGroup
from models.drift.tables.table_file import TableColumns, read_table
from models.errors import FraudstreamError
from models.features.card_state import CardState
from models.features.feature_set import DEFAULT
from models.manifest import Golden, Manifest, decode_manifest
from models.model_cache import LocalModelCache
from models.release.placement import Placement
from models.schema import wire
from models.schema.archive_commit import ArchiveCommit
from models.schema.clock_tick import ClockTick
from models.schema.cloud_event import CloudEvent
from models.schema.columns import TransactionColumns
from models.schema.dead_letter import DeadLetter
from models.schema.decoding import LONGEST_REASON, decode_labels, decode_scores, decode_transactions
from models.schema.drift_event import DriftEvent
from models.schema.drift_statistics import DriftStatistics
from models.schema.feature_batch import FeatureBatchError, FeatureBatchHeader, decode_feature_batch
from models.schema.label import Label
from models.schema.model_event import ModelEvent
from models.schema.money import ReportingCurrency, default_reporting_currency
from models.schema.performance import Performance
from models.schema.retrain_request import RetrainRequest
from models.schema.score import Score
from models.schema.shadow_scores import ShadowScores
from models.schema.terminal_profile import ProfileMarker, TerminalProfile
from models.schema.transaction import Transaction
from models.signing import AllowedSigners, SigningKey
from producers.column_mapping import HANDBOOK, ColumnMapping, read_mapping
from producers.column_reader import ColumnReader
from producers.simulator.script import Script, parse_script, parse_tactic
from stream_app.archive.feature_columns import FeatureColumns, FeatureCoverage
from stream_app.checkpoints import CheckpointStore
from stream_app.commands.retrain import _Plans, _plans
from stream_app.scores_reader import LastSeen
from stream_app.scoring.checkpointing import restore
from stream_app.scoring.commit_metadata import CommitMetadata, _metadata
from stream_app.scoring.control_marks import read_marks
from stream_app.stack.state import STATE_FILE, StackState
from stream_app.worker_status import WorkerStatus
from tests.support.archive_records import feature_message, records
from tests.support.made_records import mutated, valid
from tests.support.payments import payments
from tests.unit.stream_app.test_checkpoints import sealed

TRIES = int(os.environ.get("FRAUDSTREAM_FUZZ_TRIES", "150"))
SEED = int(os.environ.get("FRAUDSTREAM_FUZZ_SEED", "1"))
SLOWEST_S = 3.0
"""A single call: a kernel may be compiled in it, and the machine be busy."""
LONGEST_ERROR = 1_000


def outcome(decode: Callable[[bytes], object], given: bytes) -> str:
    """Decode, and return what the decoder's own error says."""
    try:
        decode(given)
    except FraudstreamError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  whatever it is, the message shows what it came from
        pytest.fail(f"{error!r} from {given[:3_000]!r}")
    return ""


def hold(decode: Callable[[bytes], object], content: bytes, tries: int = TRIES, other: bytes = b"") -> None:
    """Decode what is valid, then what almost is."""
    decode(content)
    chance = random.Random(SEED)
    for _ in range(tries):
        given = mutated(content, chance, other)
        began_s = time.perf_counter()
        said = outcome(decode, given)
        assert time.perf_counter() - began_s < SLOWEST_S, given[:3_000]
        assert "\n" not in said
        assert len(said) < LONGEST_ERROR


def each_has_a_verdict(decode: Callable[[Sequence[bytes]], tuple[list[Any], list[int], list[Any]]]) -> Any:
    def one(value: bytes) -> None:
        good, indices, rejections = decode([value])
        assert (len(good), len(indices), len(rejections)) in {(1, 1, 0), (0, 0, 1)}
        for rejection in rejections:
            assert 0 < len(rejection.reason) <= LONGEST_REASON
            assert rejection.reason.isprintable()

    return one


@pytest.mark.parametrize(
    ("record", "decode"),
    [
        (Transaction, lambda values: decode_transactions(values, default_reporting_currency())),
        (Label, decode_labels),
        (Score, decode_scores),
    ],
)
def test_messages_are_accepted_or_refused_with_a_reason(record: type[Any], decode: Any) -> None:
    hold(each_has_a_verdict(decode), valid(record), 10 * TRIES, valid(Label))


@pytest.mark.parametrize(
    "record",
    [
        Alias, ArchiveCommit, ClockTick, DriftEvent, DriftStatistics, ModelEvent, Performance, Placement, ProfileMarker,
        RetrainRequest, TerminalProfile, WorkerStatus,
    ],
)  # fmt: skip
def test_records_of_this_package_are_read_or_refused(record: type[Any]) -> None:
    hold(lambda value: wire.decode(record, value), valid(record))


Headers = list[tuple[str, Any]]


def through_headers(read: Callable[[Headers], object], headers: Headers) -> None:
    """Hold a reader of headers against changes of each, and against each one's absence."""
    for at, (name, value) in enumerate(headers):
        before, after = headers[:at], headers[at + 1 :]

        def with_value(given: bytes, name: str = name, before: Headers = before, after: Headers = after) -> object:
            return read([*before, (name, given), *after])

        hold(with_value, value, TRIES // 4)
        for changed in ([*before, *after], [*headers, (name, b"again")], [*before, (name, None), *after]):
            assert "\n" not in outcome(lambda _, changed=changed: read(changed), b"")  # type: ignore[misc]  # bound now


def test_headers_are_read_or_refused() -> None:
    through_headers(CloudEvent.read, CloudEvent("i", "t", "s", 1_700_000_000_000, "x", "c", "p").headers())
    through_headers(
        FeatureBatchHeader.decode,
        FeatureBatchHeader(3, 9, 1, "w", "id", "fs", recomputed=False, model_us={"m-1": 2.5}).encode(),
    )
    (rejection,) = decode_transactions([b"x" * 100_000])[2]
    through_headers(
        lambda headers: DeadLetter.read(None, b"", headers), DeadLetter.of(rejection, "t", 0, 1, None).headers
    )
    through_headers(
        lambda headers: ControlGroup(NO_CONTROL_GROUP, 0, read_marks(headers).used or ""),
        [("pass_probability", b"0.05"), ("control_used", b"17652:3,17653:4")],
    )


def test_texts_beside_offsets_are_read_or_taken_for_none() -> None:
    metadata = CommitMetadata("id", 1, 4).encode().encode()
    hold(lambda given: _metadata(given.decode("utf-8", "replace")), metadata)
    last = LastSeen()
    hold(lambda given: last.restore(0, given.decode("utf-8", "replace")), b'{"epoch":1,"source_offset":7}')
    for text in ("[" * 100_000, '{"epoch":1e400,"source_offset":0}', "9" * 5_000, None):
        last.restore(0, text)
        assert _metadata(text) is None


def look_at_all(message: bytes) -> None:
    rows = decode_feature_batch(message)
    assert rows.values.shape == (len(rows), len(rows.feature_names))
    for name in ("source_offset", "event_time", "amount_minor", "score", "profiles_as_of", "control", "verified"):
        assert len(rows.numpy(name)) == len(rows)
    for name in ("card_id", "terminal_id", "mcc", "decision", "role", "model_version", "writer"):
        assert len(rows.strings(name)) == len(rows)
    rows.scores_of("m-1")


def feature_bytes(rows: int = 5, **changed: Any) -> tuple[bytes, list[Any]]:
    shadow = ShadowScores(("m-1", "m-2"), np.full((2, rows), 0.25, np.float32), np.zeros(rows, np.intp))
    return feature_message(payments(rows), 100, shadow_scores=shadow, **changed)


def test_feature_batches_are_read_whole_or_refused() -> None:
    message, headers = feature_bytes()
    hold(look_at_all, message, 10 * TRIES)
    columns = FeatureColumns(FeatureCoverage())
    hold(lambda given: columns.rows(records(given, headers=[headers])), message)


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_a_compressed_feature_batch_is_refused_before_it_is_unfolded(codec: Literal["zstd", "lz4"]) -> None:
    message, _ = feature_bytes(4_000)
    with pa.ipc.open_stream(message) as reader:
        batch = reader.read_next_batch()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_batch(batch)
    with pytest.raises(FeatureBatchError, match="compressed"):
        decode_feature_batch(sink.getvalue().to_pybytes())


def test_a_feature_batch_of_more_rows_or_other_columns_than_a_worker_writes_is_refused() -> None:
    with pytest.raises(FeatureBatchError, match="10001 rows; at most 10000"):
        decode_feature_batch(feature_message(payments(10_001), 0)[0])
    with pytest.raises(FeatureBatchError, match="the names of column model_version take"):
        decode_feature_batch(feature_message(payments(2), 0, model_version="m" * 10_000)[0])
    message, _ = feature_bytes()
    with pa.ipc.open_stream(message) as reader:
        batch = reader.read_next_batch()
    for other, what in (
        (batch.set_column(4, "event_time", pa.nulls(5, pa.int64())), "event_time has 5 nulls"),
        (batch.set_column(4, "event_time", pa.nulls(5)), "event_time is null"),
        (batch.set_column(4, "event_time", pa.array(range(5))), "event_time from 0 to 4"),
        (batch.drop_columns(["card_id"]), "card_id is missing"),
        (batch.rename_columns(["card_id", *batch.schema.names[1:]]), "is missing"),
    ):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, other.schema.with_metadata(batch.schema.metadata)) as writer:
            writer.write_batch(other)
        with pytest.raises(FeatureBatchError, match=what):
            decode_feature_batch(sink.getvalue().to_pybytes())


def test_manifests_are_read_or_refused_and_so_are_their_golden_rows() -> None:
    content = msgspec.json.decode(valid(Manifest), type=Manifest).sealed().canonical_bytes()
    hold(decode_manifest, content)
    hold(lambda given: Golden(given.decode("latin-1"), [0.5]).values(1), b"AAAAAA==")


def test_checkpoints_with_a_right_checksum_are_restored_or_passed_over(tmp_path: Path) -> None:
    store, kind, name = CheckpointStore(str(tmp_path)), "cards/id/0/fs", f"{5:020d}.000000.w.whole"
    cards = CardState(DEFAULT)
    columns = TransactionColumns.from_transactions(payments(5), default_reporting_currency())
    cards.advance(columns, None, np.zeros(5, np.uint8))
    store.write(kind, name, {"offset": 5, "partitions": 1, "parent": None, "epoch": 0}, cards.everything())
    path = tmp_path / kind / name
    content = path.read_bytes()[:-32]
    preamble = content[16 : 16 + int.from_bytes(content[8:16], "little")]

    def read(given: bytes) -> None:
        whole = content[:8] + len(given).to_bytes(8, "little") + given + content[16 + len(preamble) :]
        path.write_bytes(sealed(whole))
        restored = restore(store, kind, None)
        if restored is not None:
            again = CardState(DEFAULT)
            again.restore(restored.parts)
            again.advance(columns, None, np.zeros(5, np.uint8))

    hold(read, preamble)


def through_file(path: Path, read: Callable[[], object], content: bytes, tries: int = TRIES) -> None:
    def write_and_read(given: bytes) -> None:
        path.write_bytes(given)
        read()

    hold(write_and_read, content, tries)


def test_settings_in_files_are_read_or_refused(tmp_path: Path) -> None:
    hold(lambda given: parse_script(given, "script.json"), valid(Script))
    hold(lambda given: parse_tactic(given.decode("utf-8", "replace")), b"card_testing:start_day=40,share=0.002")
    mapping = tmp_path / "mapping.json"
    through_file(mapping, lambda: read_mapping(str(mapping), {}, {}), msgspec.json.encode(HANDBOOK))
    rates = tmp_path / "rates.json"
    table = b'{"version":"1","currency":"EUR","rates":{"USD":"0.92","JPY":"0.0061"}}'
    through_file(rates, lambda: ReportingCurrency.read(rates).column([10**12], ["USD"]), table)
    plan = tmp_path / "plan.json"
    through_file(plan, lambda: _plans(plan), msgspec.json.encode(_Plans()))
    through_file(tmp_path / STATE_FILE, lambda: StackState.read(tmp_path), valid(StackState))


def test_keys_and_the_kept_model_are_read_or_refused(tmp_path: Path) -> None:
    key = SigningKey.generate()
    public = key.publish(tmp_path / "signers")
    through_file(public, lambda: AllowedSigners.in_folder(tmp_path / "signers"), public.read_bytes())
    private = tmp_path / "key.pem"
    SigningKey.load_or_create(private)
    through_file(private, lambda: SigningKey.load(private), private.read_bytes())
    kept = tmp_path / "cache" / "current"
    kept.mkdir(parents=True)
    for name in ("manifest.json", "model.onnx", "signature", "signer"):
        (kept / name).write_bytes(b"")
    through_file(kept / "alias.json", LocalModelCache(tmp_path / "cache").last, valid(Alias))


CSV = "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD\n" + "".join(
    f"{number},2018-04-01 00:0{number}:00,{number % 3},{number},{number}.50,{number % 2}\n" for number in range(9)
)


def read_everything(path: Path, mapping: ColumnMapping = HANDBOOK) -> None:
    fields = tuple(mapping.columns)
    for chunk in ColumnReader(path, mapping, fields).chunks():
        rows = np.arange(len(chunk))
        chunk.event_times()
        for field in ("transaction_id", "card_id", "terminal_id"):
            chunk.texts(field, rows)
        chunk.amounts_minor(["EUR"] * len(chunk), rows)
        chunk.flags("is_fraud")


def test_histories_are_read_or_refused(tmp_path: Path) -> None:
    csv, parquet = tmp_path / "history.csv", tmp_path / "history.parquet"
    through_file(csv, lambda: read_everything(csv), CSV.encode())
    csv.write_text(CSV)
    pq.write_table(pa_csv.read_csv(csv), parquet)
    through_file(parquet, lambda: read_everything(parquet), parquet.read_bytes())
    table = tmp_path / "table.csv"
    columns = TableColumns(label="TX_FRAUD", time="TX_DATETIME")
    through_file(table, lambda: read_table(table, columns, 4), CSV.encode(), TRIES // 5)
