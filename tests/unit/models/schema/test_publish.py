"""The published JSON Schemas."""

import json
from pathlib import Path

import jsonschema
import pytest

from models.schema.decoding import decode_transactions
from models.schema.publish import RECORDS, files, json_schema, main
from tests.unit.models.schema.messages import message
from tests.unit.models.schema.test_decoding import WRONG_FIELDS

CONTRACTS = Path(__file__).parents[4] / "docs" / "contracts"


def test_the_published_schemas_are_those_of_the_records() -> None:
    for path, text in files(CONTRACTS).items():
        assert path.read_text(encoding="utf-8") == text, f"run python -m models.schema.publish: {path.name} is old"


def test_no_schema_is_published_of_a_record_that_is_gone() -> None:
    published = {path.name for path in CONTRACTS.glob("*.schema.json")}
    assert published == {f"{name}.schema.json" for name in (*RECORDS, "manifest")}  # the manifest publishes its own


@pytest.mark.parametrize("name", RECORDS)
def test_each_is_a_valid_json_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema(name))


def test_the_schema_accepts_what_the_decoder_accepts() -> None:
    value = message(mcc="5411", merchant_country="FR", a_field_of_the_future=1)
    jsonschema.validate(json.loads(value), json_schema("transaction"))
    assert decode_transactions([value])[2] == []


@pytest.mark.parametrize("changes", [changes for changes, _ in WRONG_FIELDS])
def test_the_schema_refuses_what_the_decoder_refuses(changes: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(message(**changes)), json_schema("transaction"))


def test_the_command_writes_every_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(tmp_path / "contracts")])
    assert len(list((tmp_path / "contracts").iterdir())) == len(RECORDS)
    assert "transaction.schema.json" in capsys.readouterr().out
