"""The feature set: declared once, named by what decides its numbers, and documented."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from models.features.batch import batch_features
from models.features.feature_set import DEFAULT, FeatureSet, UnknownFeatureSetError, feature_set
from models.features.publish import rewritten
from tests.unit.models.features.streams import random_history

DOCUMENT = Path(__file__).parents[4] / "docs" / "contracts" / "features.md"
GOLDEN = ("fs1-96229e20", "5a8d2da01ef2879a")


def test_names_are_unique_and_about_sixty():
    assert len(set(DEFAULT.names)) == len(DEFAULT) == 70


def test_every_feature_says_what_it_is_in_plain_words():
    for feature in DEFAULT.features:
        assert feature.description
        assert feature.unit
        assert feature.reason
        assert feature.warm_up_days >= (feature.window_days or 0)


def test_the_version_changes_with_a_column_and_not_with_its_words():
    first = DEFAULT.features[0]
    other_column = FeatureSet("fs1", (replace(first, name="other"), *DEFAULT.features[1:]))
    other_words = FeatureSet("fs1", (replace(first, reason="other words"), *DEFAULT.features[1:]))
    assert other_column.version != DEFAULT.version
    assert other_words.version == DEFAULT.version
    assert DEFAULT.version == f"fs1-{DEFAULT.fingerprint[:8]}"


def test_the_numbers_are_those_of_this_version():
    """A kernel that gives other numbers needs another version: raise the revision, then these two strings."""
    values = batch_features(random_history(7, rows=600, days=60), DEFAULT)
    assert (DEFAULT.version, sha256(values.tobytes()).hexdigest()[:16]) == GOLDEN


def test_a_set_is_found_by_its_version():
    assert feature_set(DEFAULT.version) is DEFAULT


def test_an_unknown_version_is_refused_by_name():
    with pytest.raises(UnknownFeatureSetError, match=f"'fs0-00000000'.*{DEFAULT.version}"):
        feature_set("fs0-00000000")


def test_an_amount_above_twice_the_usual_explains_a_fraud():
    values = np.zeros((3, len(DEFAULT)), np.float32)
    values[:, DEFAULT.index("card_amount_to_usual")] = [1.0, 2.0, 2.001]
    assert DEFAULT.explained(values).tolist() == [False, False, True]


def test_a_payment_above_three_times_the_usual_in_the_week_before_explains_a_fraud():
    values = np.zeros((3, len(DEFAULT)), np.float32)
    values[:, DEFAULT.index("card_max_to_usual_7d")] = [1.0, 3.0, 3.001]
    assert DEFAULT.explained(values).tolist() == [False, False, True]


def test_the_document_is_up_to_date():
    text = DOCUMENT.read_text()
    assert text == rewritten(text, DEFAULT), "run: python -m models.features.publish"
