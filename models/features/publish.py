"""The table of features in `docs/contracts/features.md`, rewritten by `python -m models.features.publish`."""

from pathlib import Path
from typing import Final

from models.features.feature_set import DEFAULT, FeatureSet

DOCUMENT: Final = Path("docs/contracts/features.md")
_START, _END = "<!-- table -->\n", "<!-- end of table -->\n"


def table(feature_set: FeatureSet) -> str:
    """Return a Markdown table of the features, in the order of their columns."""
    lines = [
        f"Version `{feature_set.version}`, {len(feature_set)} columns.\n",
        "| feature | what it is | unit | warm-up days | in a reason code |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{f.name}` | {f.description} | {f.unit} | {f.warm_up_days:.3g} | {f.reason} |" for f in feature_set.features
    ]
    return "\n".join(lines) + "\n"


def rewritten(text: str, feature_set: FeatureSet) -> str:
    """Return the document with its table replaced."""
    before, rest = text.split(_START)
    after = rest.split(_END)[1]
    return f"{before}{_START}{table(feature_set)}{_END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(rewritten(DOCUMENT.read_text(), DEFAULT))
