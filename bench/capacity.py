"""Writes the tables and the drawing of docs/capacity.md: `python -m bench.capacity [FIGURES]`.

FIGURES is what `python -m bench --only flat scaling state restart terminals archive profiles watch --json` printed;
what the page needs of it is kept in docs/capacity.json. Without FIGURES the page is written anew from that file.
"""

import argparse
import json
import re
from pathlib import Path
from typing import Final

import msgspec

from bench.capacity_chart import chart
from bench.capacity_figures import Figures
from bench.capacity_needs import Assumptions, Capacity
from bench.capacity_tables import assumed, ends, measured, needs, sharing, sizes

DOCS: Final = Path(__file__).parents[1] / "docs"
KEPT: Final = DOCS / "capacity.json"
PAGE: Final = DOCS / "capacity.md"
DRAWING: Final = DOCS / "capacity.svg"


def rewritten(page: str, tables: dict[str, str]) -> str:
    r"""Return the page with what stands between `<!-- NAME -->` and `<!-- /NAME -->` replaced by each table.

    Examples
    --------
    >>> rewritten("a <!-- t -->old<!-- /t --> b", {"t": "new"})
    'a <!-- t -->\nnew\n<!-- /t --> b'
    """
    for name, table in tables.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, _, rest = page.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"the page has no place for the table {name}: write {begin} and {end} where it belongs")
        page = f"{before}{begin}\n{table}\n{end}{after}"
    return page


def tables_of(capacity: Capacity) -> dict[str, str]:
    """Every table of the page by name."""
    return {
        "measured": measured(capacity),
        "sharing": sharing(capacity.figures),
        "sizes": sizes(capacity.figures),
        "assumed": assumed(capacity.assumptions),
        "needs": needs(capacity),
        "ends": ends(capacity),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", nargs="?", type=Path, metavar="FIGURES")
    arguments = parser.parse_args()
    if arguments.figures is not None:
        taken = Figures.of(json.loads(arguments.figures.read_text()))
        KEPT.write_bytes(msgspec.json.format(msgspec.json.encode(_rounded(taken)), indent=2) + b"\n")
    capacity = Capacity(msgspec.json.decode(KEPT.read_bytes(), type=Figures), Assumptions())
    PAGE.write_text(rewritten(PAGE.read_text(), tables_of(capacity)))
    DRAWING.write_text(chart(capacity.ends()))


def _rounded(figures: Figures) -> object:
    """Four digits: more would be noise."""
    text = re.sub(rb"\d+\.\d+(e-?\d+)?", lambda found: b"%.4g" % float(found[0]), msgspec.json.encode(figures))
    return msgspec.json.decode(text)


if __name__ == "__main__":
    main()
