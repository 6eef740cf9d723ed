"""Ed25519 keys: the one that signs bundles, and the public ones whose bundles are let in."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from models.errors import FraudstreamError


class SigningError(FraudstreamError):
    """Raised for a key that is missing, unreadable, or open to other users."""


def fingerprint(public_key: bytes) -> str:
    """Name a raw public key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key; `signer` is the fingerprint of its public half."""

    _private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> "SigningKey":
        """Make a new key that lives in memory only."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """Read a PEM file that only its owner can read."""
        try:
            if path.stat().st_mode & 0o077:
                raise SigningError(f"signing key {path} is open to other users: chmod 600 {path}")
            private = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except FileNotFoundError:
            raise SigningError(f"no signing key at {path}; name one with --signing-key") from None
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SigningError(
                f"signing key {path} cannot be read ({error}); give an unencrypted Ed25519 PEM file"
            ) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise SigningError(
                f"signing key {path} is no Ed25519 key; make one with openssl genpkey -algorithm ed25519"
            )
        return cls(private)

    @classmethod
    def load_or_create(cls, path: Path) -> "SigningKey":
        """Read the key, or make one there, readable by its owner alone."""
        if path.exists():
            return cls.load(path)
        made = cls.generate()
        pem = made._private.private_bytes(  # noqa: SLF001  its own class
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:  # another process made it in the meantime
            return cls.load(path)
        except OSError as error:
            raise SigningError(f"signing key {path} cannot be made: {error.strerror}; name another place") from error
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        return made

    @property
    def public_key(self) -> bytes:
        """The raw public key, 32 bytes."""
        return self._private.public_key().public_bytes_raw()

    @property
    def signer(self) -> str:
        """The fingerprint of the public key."""
        return fingerprint(self.public_key)

    def sign(self, content: bytes) -> bytes:
        """Return the 64-byte signature over `content`."""
        return self._private.sign(content)

    def publish(self, folder: Path) -> Path:
        """Write the public key as PEM into a folder of allowed signers."""
        path = folder / f"{self.signer}.pem"
        pem = self._private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(pem)
        except OSError as error:
            raise SigningError(f"public key {path} cannot be written: {error.strerror}; name another folder") from error
        return path


@dataclass(frozen=True, slots=True)
class AllowedSigners:
    """The public keys, by fingerprint, whose signatures count."""

    keys: Mapping[str, bytes]

    @classmethod
    def of(cls, public_keys: Iterable[bytes]) -> "AllowedSigners":
        """Allow these raw public keys."""
        return cls({fingerprint(each): each for each in public_keys})

    @classmethod
    def in_folder(cls, folder: Path) -> "AllowedSigners":
        """Allow every `*.pem` public key of a folder."""
        keys = [_read_public(path) for path in sorted(folder.glob("*.pem"))]
        if not keys:
            raise SigningError(f"no public key (*.pem) in {folder}; put there those whose models may score")
        return cls.of(keys)

    def verified(self, signer: str, content: bytes, signature: bytes) -> bool:
        """Tell whether `signer`, who must be allowed, signed exactly this content."""
        try:
            Ed25519PublicKey.from_public_bytes(self.keys[signer]).verify(signature, content)
        except InvalidSignature:
            return False
        return True


def _read_public(path: Path) -> bytes:
    try:
        public = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise SigningError(f"public key {path} cannot be read ({error}); give an Ed25519 PEM file") from error
    if not isinstance(public, Ed25519PublicKey):
        raise SigningError(f"public key {path} is no Ed25519 key; remove it from the allowed signers")
    return public.public_bytes_raw()
