"""The state of the release loop in Redis."""

from collections.abc import Callable
from typing import Final

import msgspec

from models.release.state import ReleaseState
from stream_app.retrain.state_store import StateConflictError, StateError, StateStore

_KEY: Final = "release"
_ATTEMPTS: Final = 50


class ReleaseStore(StateStore):
    """One state under a key prefix."""

    def read(self) -> ReleaseState:
        """Return the state, a new one before the first write."""
        return self._record(_KEY, ReleaseState) or ReleaseState()

    def write(self, state: ReleaseState) -> ReleaseState:
        """Write a state that was made from the latest, and return it with its new revision.

        Raises
        ------
        StateConflictError: it was made from an older one; read again and decide again.
        """
        written = msgspec.structs.replace(state, revision=state.revision + 1)
        self._write(state.revision, {_KEY: msgspec.json.encode(written)})
        return written

    def change(self, change: Callable[[ReleaseState], ReleaseState]) -> ReleaseState:
        """Apply a change to the latest state, again when somebody else came between; return what it became."""
        for _ in range(_ATTEMPTS):
            state = self.read()
            changed = change(state)
            if changed == state:
                return state
            try:
                return self.write(changed)
            except StateConflictError:
                continue
        raise StateError(f"{self._prefix}{_KEY} in Redis changes faster than it can be written; try again")
