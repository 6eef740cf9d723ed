"""JSON Schemas of the records, written to `docs/contracts/` by `python -m models.schema.publish`."""

import json
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from models.schema.archive_commit import ArchiveCommit
from models.schema.audit_record import AuditRecord
from models.schema.clock_tick import ClockTick
from models.schema.drift_event import DriftEvent
from models.schema.drift_statistics import DriftStatistics
from models.schema.label import Label
from models.schema.model_event import ModelEvent
from models.schema.performance import Performance
from models.schema.retrain_request import RetrainRequest
from models.schema.score import Score
from models.schema.terminal_profile import ProfileMarker, TerminalProfile
from models.schema.transaction import Transaction

RECORDS: Final[dict[str, type[msgspec.Struct]]] = {
    "transaction": Transaction,
    "score": Score,
    "label": Label,
    "terminal_profile": TerminalProfile,
    "profile_marker": ProfileMarker,
    "clock_tick": ClockTick,
    "archive_commit": ArchiveCommit,
    "performance": Performance,
    "drift_event": DriftEvent,
    "drift_statistics": DriftStatistics,
    "retrain_request": RetrainRequest,
    "model_event": ModelEvent,
    "audit_record": AuditRecord,
}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LONGEST_ENUM = 1000


def json_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one of RECORDS.

    Examples
    --------
    >>> json_schema("label")["title"]
    'Label'
    """
    (schema,), components = msgspec.json.schema_components([RECORDS[name]], ref_template="#/$defs/{name}")
    definitions = {key: _shortened(value) for key, value in components.items()}
    record = definitions.pop(schema["$ref"].removeprefix("#/$defs/"))
    rest = {"$defs": definitions} if definitions else {}
    return {"$schema": _DIALECT, "$id": f"fraudstream/{name}.schema.json", **record, **rest}


def files(folder: Path) -> dict[Path, str]:
    """Return the text of every schema file under `folder`."""
    return {
        folder / f"{name}.schema.json": json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n"
        for name in RECORDS
    }


def _shortened(schema: Any) -> Any:
    """Keep the first line of a description, and say the ten thousand merchant category codes by their pattern."""
    if isinstance(schema, list):
        return [_shortened(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    codes = schema.get("enum", [])
    if len(codes) > _LONGEST_ENUM:
        rest = {key: value for key, value in schema.items() if key != "enum"}
        return {"type": "string", "pattern": "^[0-9]{4}$", **rest}
    short = {key: _shortened(value) for key, value in schema.items()}
    if isinstance(short.get("description"), str):
        short["description"] = short["description"].partition("\n")[0]
    return short


def main(arguments: list[str]) -> None:
    """Write every schema into the folder given, `docs/contracts` by default."""
    folder = Path(arguments[0] if arguments else "docs/contracts")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files(folder).items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
