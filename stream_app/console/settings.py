"""What the console is started with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from models.errors import FraudstreamError
from models.schema.topics import TopicNames
from stream_app.console.people.oidc import OidcSettings

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class ConsoleSettingsError(FraudstreamError):
    """Raised when the console may not be started so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings:
    """Where everything is and how people come in.

    Parameters
    ----------
    broker, topics: Kafka.
    redis_url, redis_prefix: Redis.
    data_folder: the accounts file and the secret are there by default.
    archive_url, storage_options: the archive's tables.
    allowed_signers: whose models are believed; None takes the data folder's file.
    score_group: the consumer group of the scorers, whose lag is shown.
    review_cost_minor: what a review costs, in minor units of the reporting currency; decides the order of the queue.
    web_host, web_port: where pages are served.
    accounts_file: names, roles and password hashes.
    secret: signs cookies and tokens.
    idle_s, absolute_s: how long after its last use, and after its begin, a session ends.
    tls_certificate, tls_key: PEM files, for TLS by the console itself.
    tls_proxy: whether something in front of it speaks TLS.
    oidc: the identity provider, None for the accounts file alone.

    Raises
    ------
    ConsoleSettingsError: it would listen beyond this machine without TLS, or has only one of certificate and key.
    """

    broker: str
    redis_url: str
    data_folder: Path
    archive_url: str
    secret: str = field(repr=False)
    accounts_file: Path
    topics: TopicNames = field(default_factory=TopicNames)
    redis_prefix: str = "fraudstream:"
    storage_options: Mapping[str, str] = field(default_factory=dict, repr=False)
    allowed_signers: Path | None = None
    score_group: str = "fraudstream-score"
    review_cost_minor: int = 500
    web_host: str = "127.0.0.1"
    web_port: int = 8090
    idle_s: float = 3600.0
    absolute_s: float = 12 * 3600.0
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_proxy: bool = False
    oidc: OidcSettings | None = None

    def __post_init__(self) -> None:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ConsoleSettingsError("--tls-certificate and --tls-key belong together; give both")
        if self.web_host not in LOOPBACK and not self.secure:
            raise ConsoleSettingsError(
                f"on {self.web_host} passwords would travel in the clear; give --tls-certificate and --tls-key, or "
                "--tls-proxy where something in front speaks TLS, or --web-host 127.0.0.1"
            )

    @property
    def signers_folder(self) -> Path:
        """Folder of the public keys whose models count."""
        return self.allowed_signers or self.data_folder / "allowed-signers"

    @property
    def secure(self) -> bool:
        """Whether people come by TLS."""
        return self.tls_proxy or self.tls_certificate is not None

    @property
    def address(self) -> str:
        """What to type into a browser on this machine."""
        scheme = "https" if self.tls_certificate is not None else "http"
        host = f"[{self.web_host}]" if ":" in self.web_host else self.web_host
        return f"{scheme}://{host}:{self.web_port}/"
