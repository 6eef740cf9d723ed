"""Records are made known to msgspec before threads need them: two threads that meet one first read it half made."""

import contextlib

import msgspec


def prepare_records() -> int:
    """Let msgspec look at every record type that is loaded; return how many there are.

    What msgspec knows of a type it finds out at its first use and keeps, in steps during which another thread may run.
    One that finds such a type half made reads memory that is not there, and the process dies (msgspec 0.22; two
    agents' checkpoints read side by side at a start). A process calls this before it starts a thread.
    """
    known: set[type[msgspec.Struct]] = set()
    left = list(msgspec.Struct.__subclasses__())
    while left:
        record = left.pop()
        if record not in known:
            known.add(record)
            left += record.__subclasses__()
            # What JSON cannot hold is read by nobody.
            with contextlib.suppress(TypeError):
                msgspec.json.Decoder(record)
    return len(known)
