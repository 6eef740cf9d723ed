"""What takes its time leaves threads to the rest."""

import asyncio
import threading

from stream_app.console.guard.threads import bounded


def test_no_more_run_at_a_time_than_there_is_room_for() -> None:
    running, most, lock = 0, 0, threading.Lock()
    meet = threading.Barrier(3)

    def call(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        meet.wait(10)  # three at a time have met, so that no fewer run side by side
        with lock:
            running -= 1
        return number

    async def all_at_once() -> list[int]:
        in_thread = bounded(3)
        return await asyncio.gather(*(in_thread(call, number) for number in range(9)))

    assert asyncio.run(all_at_once()) == list(range(9))
    assert most == 3
