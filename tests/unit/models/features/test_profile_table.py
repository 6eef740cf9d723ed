"""The profile table: a step is applied as a whole, and a terminal without a profile has stated values."""

import numpy as np

from models.features.card_entry import DAY_MS
from models.features.feature_set import DEFAULT
from models.features.profile_table import ProfileTable
from models.features.terminal_features import TERMINAL_FEATURES
from models.schema.terminal_profile import TerminalProfile
from tests.unit.models.features.streams import START_MS, apply_profiles, columns_of

FIRST = DEFAULT.index(TERMINAL_FEATURES[0].name)


def profile(terminal_id, **changes):
    counts = {
        "approved": [1, 2, 3, 99],
        "frauds": [0, 1, 2, 3],
        "unexplained_frauds": [0, 0, 1, 2],
        "declines": [0, 0, 0, 1],
    }
    times = {"first_unexplained_fraud_at": START_MS - 9 * DAY_MS, "last_genuine_at": START_MS - 8 * DAY_MS}
    return TerminalProfile(terminal_id, START_MS, **{**counts, **times, **changes})


def filled(table, terminals, at=START_MS):
    columns = columns_of([at] * len(terminals), [100] * len(terminals), terminals=terminals)
    values = np.full((len(terminals), len(DEFAULT)), np.nan, np.float32)
    table.fill(columns, values)
    return values


def value(table, terminal, name, at=START_MS):
    return filled(table, [terminal], at)[0, DEFAULT.index(f"terminal_{name}")]


def test_counts_and_days_since_become_features():
    table = ProfileTable(DEFAULT)
    apply_profiles(table, START_MS, [profile("s")], [])
    assert value(table, "s", "approved_30d") == 99
    assert value(table, "s", "unexplained_14d") == 1
    assert value(table, "s", "risk_30d") == np.float32(3.01 / 100)
    assert value(table, "s", "days_since_first_unexplained") == 9
    assert value(table, "s", "days_since_last_genuine") == 8
    assert value(table, "s", "days_since_fraud_run") == -1
    assert table.as_of == START_MS


def test_an_unknown_terminal_has_zero_counts_and_minus_one_for_days_since():
    values = filled(ProfileTable(DEFAULT), ["nowhere"])[0]
    expected = [-1 if "days_since" in feature.name else 0 for feature in TERMINAL_FEATURES]
    assert values[FIRST:].tolist() == expected
    assert np.isnan(values[:FIRST]).all()


def test_a_terminal_known_only_by_declines_has_no_risk():
    table = ProfileTable(DEFAULT)
    apply_profiles(table, START_MS, [profile("s", approved=[0] * 4, frauds=[0] * 4)], [])
    assert value(table, "s", "risk_30d") == 0


def test_a_removed_terminal_is_as_one_never_seen():
    table = ProfileTable(DEFAULT)
    apply_profiles(table, START_MS, [profile("s"), profile("other")], [])
    apply_profiles(table, START_MS + 1, [], ["s"])
    assert filled(table, ["s"]).tobytes() == filled(ProfileTable(DEFAULT), ["s"]).tobytes()
    assert value(table, "other", "approved_30d") == 99


def test_a_profile_replaces_the_one_before():
    table = ProfileTable(DEFAULT)
    apply_profiles(table, START_MS, [profile("s")], [])
    apply_profiles(table, START_MS + 1, [profile("s", approved=[0, 0, 0, 7])], [])
    assert value(table, "s", "approved_30d") == 7


def test_thousands_of_terminals_keep_their_own_values():
    table = ProfileTable(DEFAULT)
    apply_profiles(table, START_MS, [profile(f"s{n}", approved=[0, 0, 0, n]) for n in range(3000)], [])
    names = [f"s{n}" for n in range(3000)]
    assert filled(table, names)[:, DEFAULT.index("terminal_approved_30d")].tolist() == list(range(3000))


def test_days_are_counted_up_to_the_step_so_late_profiles_move_no_feature():
    table = ProfileTable(DEFAULT)
    apply_profiles(table, START_MS, [profile("s")], [])
    for late_days in (-20, 0, 1, 5):
        assert value(table, "s", "days_since_last_genuine", START_MS + late_days * DAY_MS) == 8
    apply_profiles(table, START_MS + DAY_MS, [], [])
    assert value(table, "s", "days_since_last_genuine") == 9


def test_a_profile_from_the_future_is_zero_days_old():
    table = ProfileTable(DEFAULT)
    apply_profiles(table, START_MS - 20 * DAY_MS, [profile("s")], [])
    assert value(table, "s", "days_since_last_genuine") == 0
