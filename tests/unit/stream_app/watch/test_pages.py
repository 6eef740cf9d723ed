"""What /readyz of a watch process says."""

import pytest
from prometheus_client import CollectorRegistry

from stream_app.watch.pages import WatchPages


class FakePart:
    """A service in some state."""

    def __init__(self, state: str) -> None:
        self._state = state

    def status(self) -> dict[str, object]:
        return {"state": self._state}

    def unhealthy(self) -> str | None:
        return None


@pytest.mark.parametrize(
    ("profiles", "history", "expected"),
    [
        (
            "standby",
            "restoring",
            "profiles: another process holds the lease; history: it reads again what its last holder has read",
        ),
        ("standby", "active", None),
        ("active", "restoring", None),
    ],
)
def test_what_is_waited_for_is_said_in_words(profiles: str, history: str, expected: str | None) -> None:
    parts = {"profiles": FakePart(profiles), "history": FakePart(history)}
    state = WatchPages("127.0.0.1", None, CollectorRegistry(), parts)._state()
    assert (state["ready"], state["reason"]) == (expected is None, expected)
