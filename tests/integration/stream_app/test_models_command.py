"""`fraudstream models` from a simulated bank to a rollback, on a real Redis."""

import json

import pytest

from models.audit.chain import check_chain
from models.registry import Registry
from stream_app.cli import run

TRAIN = (
    *("models", "train", "--simulated", "--days", "40", "--customers", "500", "--from-day", "7"),
    *("--parameter", "max_iter=10", "--json"),
)


@pytest.fixture(scope="module")
def world(stack, tmp_path_factory):
    """Two trained models, the second one champion; environment as a user would set it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FRAUDSTREAM_DATA", str(tmp_path_factory.mktemp("data")))
        patch.setenv("FRAUDSTREAM_REDIS", stack.redis_url)
        patch.setenv("FRAUDSTREAM_REDIS_PREFIX", "models-command:")
        assert run([*TRAIN, "--seed", "1", "--promote"]) == 0
        assert run([*TRAIN, "--seed", "1", "--family", "logistic_regression", "--parameter", "max_iter=300"]) == 0
        registry = Registry(stack.redis_url, "models-command:")
        yield registry, [manifest.version for manifest in registry.manifests()]


def printed(capsys):
    return json.loads(capsys.readouterr().out)


def test_a_trained_model_says_where_it_comes_from(world):
    first, second = world[0].manifests()
    expected = "simulated bank, seed 1, 500 customers, days 7 to 33, labels as of day 40"
    assert first.data.description == expected
    assert second.family == "logistic_regression"
    assert second.lineage.parent == first.version
    assert set(first.metrics) == {"hold_out"}
    assert len(first.golden.scores) >= 32


def test_list_show_and_verify_tell_the_same(world, capsys):
    versions = world[1]
    capsys.readouterr()
    assert run(["models", "list", "--json"]) == 0
    assert [each["version"] for each in printed(capsys)] == versions
    assert run(["models", "show", versions[0], "--json"]) == 0
    assert printed(capsys)["manifest"]["version"] == versions[0]
    assert run(["models", "verify", "--json"]) == 0
    assert [each["version"] for each in printed(capsys)["models"]] == versions
    for command in (["list"], ["show", versions[1]], ["verify", versions[1]]):
        assert run(["models", *command]) == 0
        assert versions[1] in capsys.readouterr().out


def test_a_model_of_a_simulated_bank_is_made_again_and_equal(world, capsys):
    capsys.readouterr()
    for version in world[1]:
        assert run(["models", "reproduce", version, "--json"]) == 0
        assert printed(capsys) == {
            "version": version, "equal": True, "again": version, "differences": [], "made_of": "simulated bank",
        }  # fmt: skip


def test_a_model_that_a_person_trained_has_no_report_of_a_retrain(world, capsys):
    assert run(["models", "report", world[1][0]]) == 2
    assert "was trained by a person" in capsys.readouterr().err


def test_promote_and_rollback_move_the_champion_and_back(world, capsys):
    registry, versions = world
    before = registry.alias("champion").version
    other = next(version for version in versions if version != before)
    assert run(["models", "promote", other, "--reason", "try it", "--actor", "ada", "--json"]) == 0
    capsys.readouterr()
    assert run(["models", "rollback", "--reason", "worse", "--actor", "ada", "--json"]) == 0
    assert printed(capsys)["version"] == before
    assert [record.actor for record in registry.history("champion")][-2:] == ["ada", "ada"]
    check_chain(registry.audit())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["promote", "m-nothing", "--reason", "x"], "no model 'm-nothing'"),
        (["show", "m-nothing"], "no model 'm-nothing'"),
        (["promote", "champion", "--reason", "x"], "is the champion already"),
        (["rollback"], "Missing option '--reason'"),
        (["verify", "--allowed-signers", "/nowhere"], "no public key"),
        (["train"], "give either --file FILE or --simulated"),
        (["train", "--file", "none.parquet", "--mapping", "handbook"], "none.parquet"),
        (["train", "--simulated", "--parameter", "depth"], "'depth' is not NAME=VALUE"),
        (["train", "--simulated", "--days", "3", "--customers", "10"], "lower --from-day or give more days"),
        (["train", "--simulated", "--signing-key", "/nowhere/key"], "no signing key at /nowhere/key"),
        (["list", "--redis", "redis://127.0.0.1:1/0"], "no Redis at redis://127.0.0.1:1/0"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(world, capsys, arguments, expected):
    capsys.readouterr()
    assert run(["models", *arguments]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert expected in lines[-1]
    assert lines[-1].startswith("error: ")
