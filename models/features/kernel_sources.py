"""A number that changes with the sources of the kernels, so that numba never serves code compiled from older ones.

Numba's cache looks at the file of the called kernel alone: a change in a kernel or constant that it uses from another
file goes unseen, and old numbers come out of new code. A default argument is part of the signature under which compiled
code is stored; so every kernel with such ties takes this number as its last argument and does nothing with it. Kernels
that are called by kernels only are not stored by themselves.
"""

from hashlib import sha256
from pathlib import Path
from typing import Final

from models.schema.terminal_profile import PROFILE_WINDOWS_DAYS


def _sources() -> int:
    digest = sha256(repr(PROFILE_WINDOWS_DAYS).encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()[:7])


SOURCES: Final = _sources()
