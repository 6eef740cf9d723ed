"""Settings of Kafka clients: one file and some variables, the same for both libraries, without a secret shown."""

import ssl
from pathlib import Path

import pytest

from models.access.kafka_refusal import KafkaRefusal
from models.access.kafka_settings import OWN, KafkaSettings, KafkaSettingsError, aiokafka_settings, confluent_settings
from models.access.secret import SecretError
from stream_app.access.fresh_secrets import make_secrets

SECURED = {
    "security.protocol": "SASL_SSL",
    "sasl.mechanisms": "SCRAM-SHA-512",
    "sasl.username": "score",
    "sasl.password": "s3cret",
}


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    make_secrets(tmp_path / "secrets", [], ["client"], ["localhost"])
    return tmp_path / "secrets"


def test_without_any_setting_a_client_has_the_address_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert KafkaSettings.read({}).confluent("a:1,b:2") == {"bootstrap.servers": "a:1,b:2"}
    assert KafkaSettings.read({}).aiokafka("a:1,b:2") == {"bootstrap_servers": "a:1,b:2"}
    monkeypatch.setenv("FRAUDSTREAM_KAFKA_CLIENT_ID", "score-1")
    assert confluent_settings("a:1") == {"bootstrap.servers": "a:1", "client.id": "score-1"}
    assert aiokafka_settings("a:1") == {"bootstrap_servers": "a:1", "client_id": "score-1"}


def test_a_file_and_variables_make_the_settings_and_variables_come_first(tmp_path: Path) -> None:
    file, password = tmp_path / "kafka.properties", tmp_path / "password"
    password.write_text("s3cret\n")
    file.write_text(
        "# of the bank\n\nsecurity.protocol = sasl_plaintext\nsasl.mechanism=PLAIN\n"
        f"sasl.username=score\nsasl.password=file:{password}\n"
    )
    settings = KafkaSettings.read(
        {
            "FRAUDSTREAM_KAFKA_CONFIG": str(file),
            "FRAUDSTREAM_KAFKA_SASL_USERNAME": "other",
            "FRAUDSTREAM_KAFKA_LOG_LEVEL": "3",
            "FRAUDSTREAM_KAFKA_CLIENT_ID": "",
            "FRAUDSTREAM_BROKER": "elsewhere:1",
        }
    )
    assert settings.values == {
        "security.protocol": "sasl_plaintext",
        "sasl.mechanisms": "PLAIN",
        "sasl.username": "other",
        "sasl.password": "s3cret",
        "log_level": "3",
    }
    assert settings.aiokafka("a:1") == {
        "bootstrap_servers": "a:1",
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "other",
        "sasl_plain_password": "s3cret",
    }


def test_tls_becomes_a_context_for_aiokafka(certificates: Path) -> None:
    settings = SECURED | {
        "ssl.ca.location": str(certificates / "ca.pem"),
        "ssl.certificate.location": str(certificates / "client.crt"),
        "ssl.key.location": str(certificates / "client.key"),
        "socket.timeout.ms": "7000",
    }
    rendered = KafkaSettings(settings).aiokafka("a:1")
    context = rendered["ssl_context"]
    assert isinstance(context, ssl.SSLContext)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert [one["subject"] for one in context.get_ca_certs()] == [((("commonName", "fraudstream authority"),),)]
    assert rendered["security_protocol"] == "SASL_SSL"
    assert rendered["request_timeout_ms"] == 7000
    without_name = KafkaSettings(settings | {"ssl.endpoint.identification.algorithm": "none"}).aiokafka("a:1")
    assert (without_name["ssl_context"].verify_mode, without_name["ssl_context"].check_hostname) == (
        ssl.CERT_REQUIRED,
        False,
    )
    unverified = KafkaSettings(settings | {"enable.ssl.certificate.verification": "false"}).aiokafka("a:1")
    assert unverified["ssl_context"].verify_mode == ssl.CERT_NONE


def test_what_has_no_counterpart_in_aiokafka_is_refused_unless_nothing_hangs_on_it() -> None:
    assert KafkaSettings({"reconnect.backoff.ms": "9"}).aiokafka("a:1") == {"bootstrap_servers": "a:1"}
    assert KafkaSettings({"reconnect.backoff.ms": "9"}).confluent("a:1")["reconnect.backoff.ms"] == "9"
    for name in ("sasl.pasword", "ssl.keystore.password", "sasl.oauthbearer.method"):
        with pytest.raises(KafkaSettingsError, match=f"{name} has no counterpart in aiokafka") as refused:
            KafkaSettings({name: "s3cret"}).aiokafka("a:1")
        assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("name", sorted(OWN))
def test_what_the_promises_hang_on_cannot_be_set(name: str) -> None:
    with pytest.raises(KafkaSettingsError, match=f"{name} is fraudstream's own"):
        KafkaSettings({name: "1"})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"security.protocol": "TLS"}, "TLS is none of PLAINTEXT, SSL"),
        ({"ssl.ca.location": "/nowhere/ca.pem"}, "ssl.ca.location names /nowhere/ca.pem, which is not there"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_at_once(settings: dict[str, str], words: str) -> None:
    with pytest.raises(KafkaSettingsError, match=words):
        KafkaSettings(settings)


def test_tls_files_that_do_not_fit_are_named_without_the_key_password(certificates: Path) -> None:
    settings = {
        "security.protocol": "SSL",
        "ssl.certificate.location": str(certificates / "client.crt"),
        "ssl.key.location": str(certificates / "ca-key.pem"),
        "ssl.key.password": "s3cret",
    }
    with pytest.raises(KafkaSettingsError, match=r"TLS cannot be set up from .*ca-key\.pem") as refused:
        KafkaSettings(settings).aiokafka("a:1")
    assert "s3cret" not in str(refused.value)
    with pytest.raises(KafkaSettingsError, match="no number of milliseconds"):
        KafkaSettings({"socket.timeout.ms": "soon"}).aiokafka("a:1")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("sasl.password s3cret\n", "line 1 of .* is no setting; write name=value"),
        ("a=b\na=s3cret\n", "line 2 of .* sets a a second time"),
        ("sasl.password=file:/nowhere/s3cret\n", "sasl.password names the file /nowhere/s3cret, which cannot be read"),
    ],
)
def test_a_file_that_is_none_is_refused_by_line_and_never_quoted(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "kafka.properties"
    file.write_text(content)
    with pytest.raises((KafkaSettingsError, SecretError), match=words) as refused:
        KafkaSettings.read({"FRAUDSTREAM_KAFKA_CONFIG": str(file)})
    assert "password s3cret" not in str(refused.value)


def test_a_missing_file_and_an_empty_secret_are_named(tmp_path: Path) -> None:
    with pytest.raises(KafkaSettingsError, match="FRAUDSTREAM_KAFKA_CONFIG names /nowhere, which cannot be read"):
        KafkaSettings.read({"FRAUDSTREAM_KAFKA_CONFIG": "/nowhere"})
    (tmp_path / "empty").touch()
    with pytest.raises(SecretError, match=r"sasl\.password names the file .*, which is empty"):
        KafkaSettings.read({"FRAUDSTREAM_KAFKA_SASL_PASSWORD": f"file:{tmp_path / 'empty'}"})


def test_no_secret_is_shown() -> None:
    settings = KafkaSettings(SECURED | {"ssl.key.password": "k3y"})
    assert "s3cret" not in repr(settings)
    assert "k3y" not in f"{settings}"
    assert "sasl.username=score" in repr(settings)
    assert settings.hide("failed with s3cret and k3y") == "failed with *** and ***"


class FakeError:
    def __init__(self, name: str, reason: str) -> None:
        self._name, self._reason = name, reason

    def name(self) -> str:
        return self._name

    def str(self) -> str:
        return self._reason


def test_a_refusal_is_told_from_silence_and_the_first_one_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SASL_USERNAME", "score"), ("SASL_PASSWORD", "s3cret")):
        monkeypatch.setenv(f"FRAUDSTREAM_KAFKA_{name}", value)
    refusal = KafkaRefusal()
    refusal(FakeError("_TRANSPORT", "Connect to ipv4#127.0.0.1:9 failed: Connection refused"))
    silent = refusal.text
    assert silent is None
    refusal(FakeError("_AUTHENTICATION", "Authentication failed for s3cret"))
    refusal(FakeError("_SSL", "certificate verify failed"))
    assert refusal.text is not None
    assert refusal.text.startswith("it refuses user score (Authentication failed for ***); check sasl.username")
