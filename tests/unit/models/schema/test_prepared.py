"""Types that are made known beforehand may be met by many threads at once."""

import subprocess
import sys

from models.schema.prepared import prepare_records

THREADS_MEET_RECORDS = """
import sys, threading
import msgspec
from models.schema.prepared import prepare_records

inner = [msgspec.defstruct(f"Inner{at}", [(f"field{n}", int | None, None) for n in range(20)]) for at in range(60)]
outer = [msgspec.defstruct(f"Outer{at}", [("one", list[it]), ("other", dict[str, it])]) for at, it in enumerate(inner)]
assert prepare_records() >= 120
sys.setswitchinterval(1e-6)
gate = threading.Barrier(4)

def read():
    gate.wait()
    for kind in outer:
        assert msgspec.json.decode(b'{"one": [{"field0": 1}], "other": {"a": {}}}', type=kind).one[0].field0 == 1

threads = [threading.Thread(target=read) for _ in range(4)]
[each.start() for each in threads]
[each.join() for each in threads]
"""


def test_threads_that_meet_prepared_records_at_once_read_them() -> None:
    ended = subprocess.run([sys.executable, "-c", THREADS_MEET_RECORDS], timeout=60, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_all_records_that_are_loaded_are_prepared_once_each() -> None:
    assert prepare_records() == prepare_records() > 0
