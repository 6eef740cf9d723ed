"""The secret key of the draw."""

from pathlib import Path

import pytest

from models.control_group import ControlGroupError, ControlPolicy
from stream_app.scoring.control_seed import load_or_create_seed


def test_a_seed_is_made_once_for_its_owner_alone_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "control-seed"
    made = load_or_create_seed(path)
    assert load_or_create_seed(path) == made
    assert path.stat().st_mode & 0o077 == 0
    assert [one.name for one in path.parent.iterdir()] == ["control-seed"]
    assert ControlPolicy(seed=made).seed == made
    assert load_or_create_seed(tmp_path / "other") != made


def test_a_seed_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "control-seed"
    load_or_create_seed(path)
    path.chmod(0o644)
    with pytest.raises(ControlGroupError, match=f"open to other users: chmod 600 {path}"):
        load_or_create_seed(path)


def test_a_place_where_no_seed_can_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ControlGroupError, match="name another file with --control-seed"):
        load_or_create_seed(tmp_path / "file" / "control-seed")
