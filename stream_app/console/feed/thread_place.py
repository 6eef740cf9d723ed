"""Where a follower stands in each journal, as the id of a server-sent event."""

from collections.abc import Mapping

Place = Mapping[str, Mapping[int, int]]
"""Kind -> partition -> offset of the last record seen. Offsets outlive a restart of the console."""


def written(place: Place) -> str:
    """Return the id.

    Examples
    --------
    >>> written({"model": {0: 7}, "score": {0: 5, 1: 9}})
    'model:0.7;score:0.5,1.9'
    """
    return ";".join(
        f"{kind}:{','.join(f'{partition}.{offset}' for partition, offset in sorted(offsets.items()))}"
        for kind, offsets in sorted(place.items())
    )


def read(text: str) -> dict[str, dict[int, int]]:
    """Return the place of an id; empty for one that this class has not written.

    Examples
    --------
    >>> read("model:0.7;score:0.5,1.9")
    {'model': {0: 7}, 'score': {0: 5, 1: 9}}
    >>> read("something else")
    {}
    """
    try:
        parts = (part.split(":") for part in text.split(";") if part)
        return {
            kind: {
                int(partition): int(offset)
                for partition, offset in (one.split(".") for one in places.split(",") if one)
            }
            for kind, places in parts
        }
    except ValueError:
        return {}
