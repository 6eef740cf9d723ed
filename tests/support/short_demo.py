"""A short demo that stays, told on a thread of its own while tests look at its console."""

import io
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from models.schema.topics import TopicNames
from stream_app.demo.narrator import Narrator
from stream_app.demo.pages import Pages
from stream_app.demo.plan import DemoPlan
from stream_app.demo.report import DemoResult
from stream_app.demo.staying import Staying
from stream_app.demo.story import Demo
from stream_app.stack.local_stack import LocalStack
from stream_app.topic_admin import admin_client
from stream_app.worker_processes import Connections

PLAN = DemoPlan(
    events=28_000,
    rate=1_000.0,  # a day in two seconds: terminal profiles, which are made every 6 event hours, keep up
    release=12_000,
    bad=3_000,
    burst=4_000,
    customers=1_000,
    terminals=200,
    transactions_per_day=2_000,
    tactic_share=0.02,
    review_share=0.02,
    stage=2_000,
    refit={"num_iterations": 30, "learning_rate": 0.2, "num_leaves": 15},
)
STORY_S = 330.0
"""Two models and 64 event days through every process; a busy machine takes minutes."""
TOPICS_GO_S = 60
_STAY_RATE = 200.0


class ShortDemo:
    """The demo's thread, and what it lets others see.

    Parameters
    ----------
    connections: topics and keys that nobody else uses.
    folder: of the demo.
    """

    def __init__(self, connections: Connections, folder: Path) -> None:
        self.connections, self.folder = connections, folder
        self.told = io.StringIO()
        narrator = Narrator(Console(file=self.told, width=200))
        self._staying = Staying(connections, folder, narrator, _STAY_RATE, None, lambda _result: None)
        self._demo = Demo(PLAN, connections, folder, narrator, code_commit="")
        self.rate = self._staying.rate
        self._begun, self._told, self._end = threading.Event(), threading.Event(), threading.Event()
        self._result: DemoResult | None = None
        self._trouble: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="short-demo")

    def start(self) -> Pages:
        """Begin the story and return its console, which answers."""
        self._thread.start()
        assert self._begun.wait(120), "the console did not start"
        self._raise()
        pages = self._staying._pages
        assert pages is not None
        return pages

    def result(self) -> DemoResult:
        """What the story came to, once it has been told; everything goes on behind it."""
        assert self._told.wait(STORY_S), f"the story is not at its end: {self.told.getvalue()[-2_000:]}"
        self._raise()
        assert self._result is not None
        return self._result

    def end(self) -> None:
        """End everything, as Ctrl-C does behind the story; before its end it is told to the end first."""
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join()

    def begin(self, stack: ExitStack) -> None:
        """Start the console."""
        self._staying.begin(stack)
        self._begun.set()

    def go_on(self, result: DemoResult, check: Callable[[], None]) -> None:
        """Stay until the tests have seen it all."""
        self._result = result

        def stay() -> None:
            check()
            self._told.set()
            if self._end.is_set():
                raise KeyboardInterrupt

        self._staying.go_on(result, stay)

    def _run(self) -> None:
        try:
            self._demo.run(self)
        except BaseException as error:  # noqa: BLE001  whoever waits for the story raises it
            self._trouble = error
        self._begun.set()
        self._told.set()

    def _raise(self) -> None:
        if self._trouble is not None:
            raise self._trouble


@contextmanager
def short_demo(stack: LocalStack, folder: Path) -> Iterator[ShortDemo]:
    """A demo on topics and keys of its own; the topics go with it."""
    run = f"demo-{secrets.token_hex(4)}"
    names = TopicNames(f"{run}.")
    demo = ShortDemo(Connections(stack.broker, stack.redis_url, names, f"{run}:"), folder)
    try:
        yield demo
    finally:
        demo.end()
        for future in admin_client(stack.broker).delete_topics(list(names.all())).values():
            future.exception(TOPICS_GO_S)
