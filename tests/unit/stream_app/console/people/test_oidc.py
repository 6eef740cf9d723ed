"""Signing in at an identity provider: a real one on loopback, and what of its answers is not believed."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from stream_app.console.app import build_app
from stream_app.console.people.oidc import OidcSettings
from stream_app.console.run import make_console
from stream_app.console.settings import ConsoleSettings
from tests.support.identity_provider import CLIENT, SECRET, IdentityProvider


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with IdentityProvider() as running:
        yield running


@pytest.fixture
def stranger(provider: IdentityProvider, settings: ConsoleSettings) -> Iterator[TestClient]:
    provider.spoil = ""
    oidc = OidcSettings(provider.issuer, CLIENT, SECRET)
    app = build_app(make_console(dataclasses.replace(settings, oidc=oidc)))
    with TestClient(app, "http://console", follow_redirects=False, headers={"accept": "text/html"}) as client:
        yield client


def sign_in(client: TestClient, target: str = "/") -> Any:
    """Go to the provider and come back, as a browser is sent."""
    away = client.get(f"/sign-in/provider?next={target}")
    assert away.status_code == 302, away.text
    back = httpx.get(away.headers["location"]).headers["location"]
    return client.get(back.removeprefix("http://console"))


def test_the_claim_gives_the_role(provider: IdentityProvider, stranger: TestClient) -> None:
    provider.claims = {"preferred_username": "grace", "roles": ["staff", "viewer", "approver"]}
    answer = sign_in(stranger, "/whoami")
    assert answer.headers["location"] == "/whoami"
    assert stranger.get("/whoami").json() == {"name": "grace", "role": "approver"}


def test_one_word_is_a_role_too(provider: IdentityProvider, stranger: TestClient) -> None:
    provider.claims = {"preferred_username": "grace", "roles": "analyst"}
    sign_in(stranger)
    assert stranger.get("/whoami").json() == {"name": "grace", "role": "analyst"}


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"preferred_username": "grace"}, "gives grace no role"),
        ({"preferred_username": "grace", "roles": ["staff"]}, "gives grace no role"),
        ({"preferred_username": "grace", "roles": {"admin": "no"}}, "gives grace no role"),
        ({"preferred_username": "grace", "roles": 4}, "gives grace no role"),
        ({"preferred_username": "grace", "roles": [["admin"], None]}, "gives grace no role"),
        ({"roles": ["admin"]}, "nobody from outside may go by the name"),
        ({"preferred_username": ["grace"], "roles": ["admin"]}, "it is no name"),
        ({"preferred_username": "grace\nroot", "roles": ["admin"]}, "it is no name"),
        ({"preferred_username": "Viewer", "roles": ["admin"]}, "somebody here has it"),
        ({"preferred_username": "viewer", "roles": ["admin"]}, "somebody here has it"),
        ({"preferred_username": "release", "roles": ["admin"]}, "nobody from outside may go by the name"),
    ],
)
def test_claims_that_let_nobody_in(
    provider: IdentityProvider, stranger: TestClient, claims: dict[str, Any], said: str
) -> None:
    provider.claims = claims
    answer = sign_in(stranger)
    assert answer.status_code == 403
    assert said in answer.text
    assert stranger.get("/whoami").status_code != 200


@pytest.mark.parametrize("spoil", ["signature", "audience", "another audience", "issuer", "nonce"])
def test_a_token_that_is_not_the_providers_for_this_visit_is_not_believed(
    provider: IdentityProvider, stranger: TestClient, spoil: str
) -> None:
    provider.claims, provider.spoil = {"preferred_username": "grace", "roles": "admin"}, spoil
    answer = sign_in(stranger)
    assert answer.status_code == 403
    assert "not to be believed" in answer.text
    assert stranger.get("/whoami").status_code != 200


def test_an_answer_that_this_browser_did_not_ask_for_is_not_believed(
    provider: IdentityProvider, stranger: TestClient
) -> None:
    provider.claims = {"preferred_username": "grace", "roles": "admin"}
    away = stranger.get("/sign-in/provider")
    back = httpx.get(away.headers["location"]).headers["location"]
    stranger.cookies.clear()
    answer = stranger.get(back.removeprefix("http://console"))
    assert answer.status_code == 403
    assert "not to be believed" in answer.text


def test_a_provider_that_is_away_is_said_on_the_page(settings: ConsoleSettings) -> None:
    oidc = OidcSettings("http://127.0.0.1:1", CLIENT, SECRET)
    app = build_app(make_console(dataclasses.replace(settings, oidc=oidc)))
    with TestClient(app, "http://console", follow_redirects=False) as client:
        answer = client.get("/sign-in/provider")
        assert answer.status_code == 502
        assert "cannot be asked" in answer.text


def test_what_anybody_sends_to_the_door_fills_no_audit(stranger: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "stream_app.console.people.doorkeeper"):
        for _ in range(20):
            said = f"/sign-in/from-provider?error=x&error_description={'a' * 2_000}%0Aforged"
            assert stranger.get(said).status_code == 403
    lines = [one.getMessage() for one in caplog.records if "sign-in refused" in one.getMessage()]
    assert 0 < len(lines) <= 5
    assert all(len(line) < 400 and "\n" not in line for line in lines)
