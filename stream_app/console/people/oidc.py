"""Signing in at an identity provider, by OpenID Connect."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import authlib.deprecate  # first: it switches its announcements on
import httpx
from starlette.requests import Request
from starlette.responses import Response

from models.errors import FraudstreamError
from models.proposal import same_person
from models.registry import OWN_ACTORS
from stream_app.console.people.accounts import NAME_RULE, Accounts, is_name
from stream_app.console.people.role import Role, UnknownRoleError

with warnings.catch_warnings():
    # Authlib announces its next HTTP client, on stderr and at every start.
    warnings.simplefilter("ignore", authlib.deprecate.AuthlibDeprecationWarning)
    from authlib.integrations.starlette_client import OAuth, OAuthError

_PROVIDER: Final = "provider"
_DISCOVERY: Final = "/.well-known/openid-configuration"


class OidcError(FraudstreamError):
    """Raised when the provider cannot be asked, or what it says of somebody lets nobody in."""


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """Which provider, and what is read out of its tokens.

    Parameters
    ----------
    issuer: its address; what it offers is read from there.
    client_id, client_secret: as it knows the console.
    role_claim: claim that holds a role's word, or a list in which the highest counts.
    name_claim: claim that holds the name under which somebody acts.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    role_claim: str = "roles"
    name_claim: str = "preferred_username"


class Oidc:
    """Sends people to the provider and reads who comes back.

    Parameters
    ----------
    settings: which provider.
    accounts: whose names nobody from outside may go by.
    """

    def __init__(self, settings: OidcSettings, accounts: Accounts) -> None:
        self._settings, self._accounts = settings, accounts
        self._client: Any = OAuth().register(
            _PROVIDER,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            server_metadata_url=settings.issuer.rstrip("/") + _DISCOVERY,
            client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
        )

        issuer = settings.issuer.rstrip("/")
        self._claims = {
            "iss": {"essential": True, "values": [issuer, f"{issuer}/"]},
            "aud": {"essential": True, "value": settings.client_id},
        }

    async def leave(self, request: Request, back: str) -> Response:
        """Send somebody to the provider; `back` is where they are to come back to."""
        try:
            response: Response = await self._client.authorize_redirect(request, back)
        except (httpx.HTTPError, OAuthError, ValueError, KeyError, RuntimeError) as error:
            raise OidcError(f"the provider {self._settings.issuer} cannot be asked: {_line(error)}") from error
        return response

    async def come_back(self, request: Request) -> tuple[str, Role]:
        """Return name and role of who comes back.

        Raises
        ------
        OidcError: the provider refused them, its answer is not to be believed, or it says no role.
        """
        try:
            token = await self._client.authorize_access_token(request, claims_options=self._claims)
        except httpx.HTTPError as error:
            raise OidcError(f"the provider {self._settings.issuer} cannot be asked: {_line(error)}") from error
        except Exception as error:  # whatever is wrong with what came, nobody is let in by it
            raise OidcError(f"the provider's answer is not to be believed: {_line(error)}") from error
        return self._person(token.get("userinfo") or {})

    def _person(self, claims: Mapping[str, Any]) -> tuple[str, Role]:
        name = claims.get(self._settings.name_claim)
        # By the rule of two persons, names that differ in capitals alone are one person's.
        taken = {*OWN_ACTORS, *self._accounts.all()}
        if not isinstance(name, str) or not is_name(name) or any(same_person(name, one) for one in taken):
            raise OidcError(
                f"nobody from outside may go by the name {name!r:.80}: the claim {self._settings.name_claim} is "
                f"missing, or somebody here has it, or it is no name ({NAME_RULE})"
            )
        said = claims.get(self._settings.role_claim)
        roles = []
        for word in [said] if isinstance(said, str) else said if isinstance(said, list) else []:
            try:
                roles.append(Role.named(str(word)))
            except UnknownRoleError:
                continue  # a provider's groups are of all sorts
        if not roles:
            raise OidcError(
                f"the claim {self._settings.role_claim} gives {name} no role; ask whoever looks after the provider"
            )
        return name, max(roles)


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
