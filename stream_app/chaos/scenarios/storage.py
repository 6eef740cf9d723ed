"""Checkpoints cut short or gone, and disks that are full."""

import shutil
from typing import Final

import duckdb
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from models.schema.topics import SCORES
from stream_app.archive.tables import table_url
from stream_app.chaos.scenario import STARTED_AGAIN_S, STEADY_S, TAKEN_OVER_S, Scenario
from stream_app.chaos.world import World

SMALL_FILE_BYTES: Final = 100_000
"""Less than a second of feature rows takes."""
ARCHIVED_S: Final = 60.0


def checkpoint_cut_short(world: World) -> None:
    """The newest checkpoints of every partition lose their end while all workers are down."""
    world.flowing(1, 0.5)
    worker = world.workers[0]
    worker.bury()
    newest = {}
    for path in sorted(world.checkpoints.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            newest[path.parent] = path
    for path in newest.values():
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size // 2)
    world.start_worker()
    world.finish()
    passed_over = world.said.count("checkpoint passed over")
    world.expect(newest, "there were no checkpoints")
    world.expect(passed_over >= len(newest), f"{passed_over} checkpoints were passed over, not {len(newest)}")


def checkpoints_gone(world: World) -> None:
    """The folder of all checkpoints is removed under running workers, which are then killed."""
    world.flowing(2, 0.5)
    for worker in world.workers:
        worker.freeze()
    shutil.rmtree(world.checkpoints)
    world.restart_all()
    world.finish()


def checkpoint_disk_full(world: World) -> None:
    """For some seconds there is no space for checkpoints; then a worker is killed."""
    world.flowing(2, 0.2, fault=f"checkpoint_disk_is_full({world.order!r}, 5)")
    world.give_order()
    world.wait(lambda: "could not be written" in world.said, 30, "no worker says that a checkpoint is not written")
    world.until_sent(0.5)
    world.workers[0].kill()
    world.finish()


def archive_disk_full(world: World) -> None:
    """The archive cannot write whole files until it is started again: then it holds every score once."""
    world.start_workers(1)
    archive = world.start_archive(fault=f"files_end_at({SMALL_FILE_BYTES})")
    world.send()
    world.finish()
    world.accounts.read_scores()
    raw = world.accounts.raw
    world.wait(lambda: _archived(world)[0] >= raw, ARCHIVED_S, "the archive does not hold every score")
    rows, distinct = _archived(world)
    world.expect(
        rows == distinct == raw, f"the archive holds {rows:,} scores, {distinct:,} of them distinct, of {raw:,}"
    )
    world.expect(archive.restarts > 0, "the archive has not ended although it could not write")


def _archived(world: World) -> tuple[int, int]:
    """Rows of the archive's scores, and distinct ones."""
    url = table_url(str(world.archive), SCORES)
    try:
        files = DeltaTable(url).file_uris()
    except TableNotFoundError:
        return 0, 0
    if not files:
        return 0, 0
    with duckdb.connect() as connection:
        found = connection.execute(
            "select count(*), count(distinct (kafka_partition, kafka_offset)) from read_parquet(?)", [files]
        ).fetchone()
    return found or (0, 0)


SCENARIOS: Final = (
    Scenario(
        "checkpoint-cut-short",
        "the newest checkpoints lose their end",
        checkpoint_cut_short,
        STARTED_AGAIN_S,
    ),
    Scenario("checkpoints-gone", "all checkpoints are removed", checkpoints_gone, STARTED_AGAIN_S),
    Scenario("checkpoint-disk-full", "no space for checkpoints", checkpoint_disk_full, TAKEN_OVER_S, short=True),
    Scenario("archive-disk-full", "no space for the archive", archive_disk_full, STEADY_S, short=True),
)
