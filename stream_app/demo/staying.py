"""A demo that stays: the console beside the story, and traffic behind it until somebody ends it."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from models.access.redis_access import shown
from models.registry import Registry
from stream_app.demo.narrator import Narrator
from stream_app.demo.pages import Pages
from stream_app.demo.report import DemoResult
from stream_app.worker_processes import Connections

LOOK_EVERY_S: Final = 0.5


@dataclass
class Staying:
    """Starts the pages with the topics, and waits behind the story for Ctrl-C.

    Parameters
    ----------
    connections, folder: of the demo.
    narrator: tells where the pages are.
    rate: events a second behind the story.
    web_port: of the console; None takes the usual one or a free one.
    close: prints the figures of the story.
    """

    connections: Connections
    folder: Path
    narrator: Narrator
    rate: float
    web_port: int | None
    close: Callable[[DemoResult], None]
    _pages: Pages | None = field(default=None, init=False)

    def begin(self, stack: ExitStack) -> None:
        """Start the console and say how to come in: the passwords are nowhere else."""
        self._pages = stack.enter_context(Pages(self.connections, self.folder, self.web_port))
        self.narrator.say(f"the console is at {self._pages.address}: sign in to watch")
        for account in self._pages.accounts():
            self.narrator.add(account)

    def go_on(self, result: DemoResult, check: Callable[[], None]) -> None:
        """Ask for two persons at promotions, print the figures, say what goes on, and wait; returns at Ctrl-C.

        The story itself has one person promote a bad model.
        """
        assert self._pages is not None, "begin comes before go_on"
        registry = Registry(self.connections.redis_url, self.connections.redis_prefix)
        try:
            registry.require_approvals("demo", "the story is told: a promotion by hand needs two persons")
            self.close(result)
            self._tell(self._pages)
            while True:
                check()
                self._pages.check()
                time.sleep(LOOK_EVERY_S)
        except KeyboardInterrupt:
            return

    def _tell(self, pages: Pages) -> None:
        self.narrator.say(
            f"everything goes on at {self.rate:g} events/s; the console is at {pages.address}, its accounts were told "
            "at the beginning"
        )
        self.narrator.add("a promotion by hand needs two persons now: the approver proposes, the admin approves")
        options = " ".join(self.connections.options())
        self.narrator.add(f"in a terminal: fraudstream top {options} --redis {shown(self.connections.redis_url)}")
        self.narrator.say("Ctrl-C ends it all and leaves nothing running")
