"""Which offsets are done follows from what was acknowledged, in order."""

import asyncio

import pytest

from stream_app.scoring.acknowledgements import Acknowledgements


class Sends:
    """Sends of one partition that the test acknowledges by hand."""

    def __init__(self, position: int = 0) -> None:
        self.failed: list[BaseException] = []
        self.done = Acknowledgements(position, self.failed.append)

    def expect(self, next_offset: int, count: int) -> list[asyncio.Future[object]]:
        """Announce some sends."""
        sends = [asyncio.get_running_loop().create_future() for _ in range(count)]
        self.done.expect(next_offset, list(sends))
        return sends


async def acknowledge(*sends: asyncio.Future[object]) -> None:
    """Let the broker answer."""
    for send in sends:
        send.set_result(None)
    await asyncio.sleep(0)


def test_an_offset_is_done_once_all_sends_up_to_it_are_acknowledged() -> None:
    async def story() -> list[int]:
        sends = Sends()
        first, second = sends.expect(10, 2), sends.expect(20, 1)
        seen = [sends.done.position]
        await acknowledge(first[0])
        seen.append(sends.done.position)
        await acknowledge(second[0])
        seen.append(sends.done.position)
        await acknowledge(first[1])
        return [*seen, sends.done.position]

    assert asyncio.run(story()) == [0, 0, 0, 20]


def test_what_needs_no_send_is_done_as_soon_as_all_before_it_is() -> None:
    async def story() -> list[int]:
        sends = Sends()
        sends.expect(5, 0)
        seen = [sends.done.position]
        (send,) = sends.expect(10, 1)
        sends.expect(15, 0)
        seen.append(sends.done.position)
        await acknowledge(send)
        return [*seen, sends.done.position]

    assert asyncio.run(story()) == [5, 5, 15]


def test_a_replay_below_the_position_does_not_take_it_back() -> None:
    async def story() -> int:
        sends = Sends(position=100)
        (send,) = sends.expect(40, 1)
        await acknowledge(send)
        return sends.done.position

    assert asyncio.run(story()) == 100


def test_waiting_ends_when_the_offset_is_reached_and_when_nothing_is_open() -> None:
    async def story() -> tuple[bool, bool]:
        sends = Sends()
        (send,) = sends.expect(10, 1)
        reached = asyncio.create_task(sends.done.reached(10))
        settled = asyncio.create_task(sends.done.settled())
        await asyncio.sleep(0)
        before = reached.done() or settled.done()
        await acknowledge(send)
        await asyncio.gather(reached, settled)
        return before, sends.done.position == 10

    assert asyncio.run(story()) == (False, True)


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_send_that_fails_is_reported_and_nothing_after_it_is_done(cancelled: bool) -> None:
    async def story() -> tuple[int, int]:
        sends = Sends()
        (lost,), (sent,) = sends.expect(10, 1), sends.expect(20, 1)
        if cancelled:
            lost.cancel()
        else:
            lost.set_exception(ConnectionError("gone"))
        await asyncio.sleep(0)
        await acknowledge(sent)
        return len(sends.failed), sends.done.position

    assert asyncio.run(story()) == (1, 0)


def test_an_offset_is_not_done_while_something_of_it_is_held_back() -> None:
    async def story() -> list[int]:
        sends = Sends()
        held = asyncio.get_running_loop().create_future()
        sends.done.hold([held])
        await acknowledge(held)
        seen = [sends.done.position]
        (rest,) = sends.expect(10, 1)
        seen.append(sends.done.position)
        await acknowledge(rest)
        return [*seen, sends.done.position]

    assert asyncio.run(story()) == [0, 0, 10]


def test_a_held_send_is_waited_for_and_its_failure_told_at_once() -> None:
    async def story() -> tuple[bool, list[BaseException]]:
        sends = Sends()
        held, lost = (asyncio.get_running_loop().create_future() for _ in range(2))
        sends.done.hold([held, lost])
        settled = asyncio.create_task(sends.done.settled())
        await acknowledge(held)
        waits = not settled.done()
        lost.set_exception(OSError("gone"))
        await asyncio.sleep(0)
        settled.cancel()
        return waits, sends.failed

    waits, failed = asyncio.run(story())
    assert waits
    assert [str(error) for error in failed] == ["gone"]
