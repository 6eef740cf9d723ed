"""The pictures of the console: every page has them, the page of the documentation shows them, they are small."""

import io
import subprocess
import sys

import pytest
from PIL import Image

from ops import screenshots
from ops.screenshots import FOLDER, LOOKS, PAGES, ScreenshotError, _story, file_names, main
from stream_app.console.navigation import LINKS

GUIDE = FOLDER.with_suffix(".md").read_text(encoding="utf-8")


def test_every_page_of_the_navigation_is_taken_in_every_look() -> None:
    assert {link.text.lower() for link in LINKS} <= PAGES.keys()
    assert {look.name for look in LOOKS} == {"light", "dark", "phone"}
    assert len(file_names()) == (len(PAGES) + 1) * len(LOOKS)


def test_the_pictures_are_there_and_no_others() -> None:
    assert {file.name for file in FOLDER.iterdir()} == set(file_names())


@pytest.mark.parametrize("name", file_names())
def test_a_picture_is_shown_in_the_guide_and_has_the_size_of_its_look(name: str) -> None:
    assert f'"console/{name}"' in GUIDE
    page, look_name = name.removesuffix(".png").rsplit("-", 1)
    look = next(look for look in LOOKS if look.name == look_name)
    with Image.open(FOLDER / name) as picture:
        assert picture.size == (look.viewport["width"], look.viewport["height"])
        shades = picture.convert("L").tobytes()
    assert max(shades) - min(shades) > 100, f"{page} is blank"


def test_the_pictures_together_stay_small() -> None:
    sizes = {file.name: file.stat().st_size for file in FOLDER.iterdir()}
    assert max(sizes.values()) < 150_000, sizes
    assert sum(sizes.values()) < 2_500_000


@pytest.mark.parametrize("typed", ["", "admin", "admin two words"])
def test_a_line_without_name_and_password_is_refused(
    typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{typed}\n"))
    assert main(["pictures", "http://127.0.0.1:9/"]) == 1
    assert "standard input" in capsys.readouterr().err


STORY = """0.1 s  the console is at http://127.0.0.1:8090/: sign in to watch
       analyst   password one
       admin     password two-2_
9.9 s  everything goes on at 50 events/s; the console is at http://127.0.0.1:8090/, its accounts were told
"""


def told(story: str) -> subprocess.Popen[str]:
    """A child that says what a demo says."""
    code = f"import sys; sys.stderr.write({story!r})"
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)


def test_address_and_password_are_read_from_the_story_and_not_told_on(capsys: pytest.CaptureFixture[str]) -> None:
    with told(STORY) as demo:
        assert _story(demo) == ("http://127.0.0.1:8090/", "two-2_")
    said = capsys.readouterr().err
    assert "sign in to watch" in said
    assert "two-2_" not in said


@pytest.mark.parametrize("story", ["error: no Java\n", STORY.rsplit("9.9 s", maxsplit=1)[0]])
def test_a_demo_that_ends_early_is_told(story: str) -> None:
    with told(story) as demo, pytest.raises(ScreenshotError, match="ended before its story"):
        _story(demo)


def test_what_is_no_command_is_told_how_it_goes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["everything"]) == 2
    assert capsys.readouterr().err == screenshots.__doc__
