"""Passwords for every user and certificates of an own authority: what a secured installation can begin with.

A bank that has an authority of its own replaces the certificates; the passwords are as good as any.
"""

import ipaddress
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from models.errors import FraudstreamError

CA: Final = "ca.pem"
CA_KEY: Final = "ca-key.pem"
VALID_DAYS: Final = 825
"""The longest that common clients accept of a server's certificate."""
_PASSWORD_BYTES: Final = 24


class SecretsFolderError(FraudstreamError):
    """Raised when the folder cannot be written."""


def make_secrets(folder: Path, users: Iterable[str], servers: Iterable[str], hosts: Iterable[str]) -> list[Path]:
    """Make what is not there yet and return it; what is there stays, so a later call adds a user or renews a file.

    Parameters
    ----------
    folder: only its owner may enter it; the files in it are readable, since containers read them as other users.
    users: a file of this name each, with a random password.
    servers: a file NAME.pem each with key and certificate, and the same apart in NAME.key and NAME.crt.
    hosts: DNS names and IP addresses that the certificates are valid for.

    Raises
    ------
    SecretsFolderError: the folder cannot be written.
    """
    made: list[Path] = []

    def write(name: str, content: str) -> None:
        path = folder / name
        if not path.exists():
            path.write_text(content)
            path.chmod(0o644)
            made.append(path)

    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for user in users:
            write(user, secrets.token_urlsafe(_PASSWORD_BYTES))
        missing = [server for server in servers if not (folder / f"{server}.pem").exists()]
        if missing:
            authority, key = _authority(folder, write)
            for server in missing:
                own = ec.generate_private_key(ec.SECP256R1())
                certificate = _certificate(own.public_key(), server, authority.subject, key, list(hosts))
                (folder / f"{server}.key").unlink(missing_ok=True)
                (folder / f"{server}.crt").unlink(missing_ok=True)
                write(f"{server}.key", _key_text(own))
                write(f"{server}.crt", _text(certificate) + _text(authority))
                write(f"{server}.pem", _key_text(own) + _text(certificate) + _text(authority))
    except OSError as error:
        raise SecretsFolderError(f"secrets cannot be written to {folder} ({error.strerror}); name another") from None
    return made


def _authority(folder: Path, write: Callable[[str, str], None]) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """The folder's certificate authority; its key is needed only to make a further certificate."""
    if not (folder / CA).exists() or not (folder / CA_KEY).exists():
        key = ec.generate_private_key(ec.SECP256R1())
        (folder / CA).unlink(missing_ok=True)
        (folder / CA_KEY).unlink(missing_ok=True)
        write(CA, _text(_certificate(key.public_key(), "fraudstream authority", None, key, [])))
        write(CA_KEY, _key_text(key))
        (folder / CA_KEY).chmod(0o600)
    certificate = x509.load_pem_x509_certificate((folder / CA).read_bytes())
    loaded = serialization.load_pem_private_key((folder / CA_KEY).read_bytes(), password=None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise SecretsFolderError(f"{folder / CA_KEY} is no elliptic-curve key; sign the certificates where it was made")
    return certificate, loaded


def _certificate(
    public_key: ec.EllipticCurvePublicKey,
    name: str,
    issuer: x509.Name | None,
    issuer_key: ec.EllipticCurvePrivateKey,
    hosts: list[str],
) -> x509.Certificate:
    """A certificate; one without an issuer is an authority's own."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    is_authority = issuer is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True)
        .add_extension(_usage(is_authority=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_text(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
