"""A batch is linked to some of those who sent its records."""

from typing import NamedTuple

from stream_app.scoring.source import _MOST_LINKS, _links


class Record(NamedTuple):
    """A record, as far as it is asked."""

    headers: tuple[tuple[str, bytes], ...]


def test_the_first_senders_that_are_traced_are_linked_and_no_more_than_so_many() -> None:
    traced = [Record((("traceparent", f"00-{number:032x}-{1:016x}-01".encode()),)) for number in range(100)]
    found = _links([Record(()), Record((("other", b"x"),)), *traced])
    assert len(found) == _MOST_LINKS
    assert found[0] == f"00-{0:032x}-{1:016x}-01"


def test_records_that_nobody_traced_give_none() -> None:
    assert _links([Record(())] * 5) == ()
