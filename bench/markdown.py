"""Tables of the pages that the benches write."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = False) -> str:
    """Return a Markdown table; with `numbers` all columns but the first are set right.

    Examples
    --------
    >>> print(table(["what", "us"], [["decode", "1.4"]], numbers=True))
    | what | us |
    | --- | ---: |
    | decode | 1.4 |
    """
    rule = ["---", *("---:" if numbers else "---" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *rows))
