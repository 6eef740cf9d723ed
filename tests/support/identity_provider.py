"""A small OpenID provider on loopback: discovery, authorisation code with PKCE, signed id tokens."""

import base64
import hashlib
import secrets
import threading
import time
from typing import Any, Self

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from stream_app.stack.port import free_ports
from tests.support.worker_process import wait_until

CLIENT, SECRET = "console", "the client's own secret"


class IdentityProvider:
    """Runs until the end of a `with`; lets in whoever `claims` says, without asking.

    Attributes
    ----------
    claims: of the next id token.
    spoil: changes the next token in a way that must be noticed: "signature", "audience", "another audience", "issuer",
        "nonce" or nothing.
    """

    def __init__(self) -> None:
        (port,) = free_ports(1)
        self.issuer = f"http://127.0.0.1:{port}"
        self.claims: dict[str, Any] = {}
        self.spoil = ""
        self._key = RSAKey.generate_key(2048, {"kid": "k1"})
        self._codes: dict[str, dict[str, str]] = {}
        app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/keys", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )
        self._server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
        self._thread = threading.Thread(target=self._server.run)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_until(lambda: self._server.started, "the identity provider listens")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    async def _discovery(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False, use="sig", alg="RS256")]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        code = secrets.token_urlsafe(8)
        self._codes[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?code={code}&state={asked['state']}")

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        asked = self._codes.pop(str(form["code"]))
        verifier = str(form["code_verifier"]).encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        given = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        if challenge != asked["code_challenge"] or given != f"{CLIENT}:{SECRET}":
            return JSONResponse({"error": "invalid_grant"}, 400)
        now_s = int(time.time())
        claims = {"iss": self.issuer, "sub": "1", "aud": CLIENT, "iat": now_s, "exp": now_s + 60}
        claims |= {"nonce": asked["nonce"], **self.claims}
        if self.spoil == "audience":
            claims["aud"] = "somebody else"
        if self.spoil == "another audience":
            claims |= {"aud": ["somebody else"], "azp": CLIENT}
        if self.spoil == "issuer":
            claims["iss"] = "https://elsewhere"
        if self.spoil == "nonce":
            claims["nonce"] = "another"
        key = RSAKey.generate_key(2048, {"kid": "k1"}) if self.spoil == "signature" else self._key
        token = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, key)
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": token})
