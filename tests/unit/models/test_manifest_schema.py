"""The published JSON Schema of the manifest."""

import json
from pathlib import Path

import jsonschema

from models.manifest import manifest_schema

PUBLISHED = Path(__file__).parents[3] / "docs" / "contracts" / "manifest.schema.json"


def test_the_published_schema_is_that_of_the_code():
    assert PUBLISHED.read_text(encoding="utf-8") == manifest_schema()


def test_a_trained_models_manifest_fits_the_published_schema(bundle):
    jsonschema.validate(json.loads(bundle.manifest_bytes), json.loads(PUBLISHED.read_text(encoding="utf-8")))
