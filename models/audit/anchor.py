"""The head of the audit as one line of text: kept elsewhere, it tells whether anything before it was rewritten."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from models.audit.chain import AuditError
from models.schema.audit_record import AuditRecord
from models.signing import AllowedSigners, SigningKey

_HASH_DIGITS: Final = 64


@dataclass(frozen=True, slots=True)
class Anchor:
    """Sequence and hash of a record, and who signed that they belong together.

    Parameters
    ----------
    sequence, hash: of the record.
    signer, signature: fingerprint of the key, and Ed25519 signature in hex; both empty without one.

    Examples
    --------
    >>> Anchor.read("12:" + "ab" * 32).sequence
    12
    """

    sequence: int
    hash: str
    signer: str = ""
    signature: str = ""

    @classmethod
    def of(cls, record: AuditRecord, key: SigningKey | None = None) -> "Anchor":
        """Return the anchor of a record, signed if there is a key."""
        bare = cls(record.sequence, record.hash)
        return bare if key is None else cls(record.sequence, record.hash, key.signer, key.sign(bare._content()).hex())

    @classmethod
    def read(cls, text: str) -> "Anchor":
        """Return the anchor that `text` says; AuditError for one that is none."""
        parts = text.strip().split(":")
        whole = len(parts) in (2, 4) and len(parts[1]) == _HASH_DIGITS
        if not whole or not (parts[0].isascii() and parts[0].isdecimal()):
            raise AuditError(
                f"{text.strip()[:80]!r} is no anchor; write SEQUENCE:HASH as fraudstream audit export and head print it"
            )
        return cls(int(parts[0]), *parts[1:])

    def __str__(self) -> str:
        """Return the line."""
        bare = f"{self.sequence}:{self.hash}"
        return f"{bare}:{self.signer}:{self.signature}" if self.signer else bare

    def verify(self, allowed: AllowedSigners) -> None:
        """Raise AuditError unless an allowed signer has signed it."""
        if self.signer not in allowed.keys:
            known = ", ".join(allowed.keys) or "none"
            raise AuditError(
                f"the head at audit record {self.sequence} is signed by {self.signer or 'nobody'}; allowed signers are "
                f"{known}: name the folder with its public key with --allowed-signers"
            )
        try:
            signature = bytes.fromhex(self.signature)
        except ValueError:
            signature = b""
        if not allowed.verified(self.signer, self._content(), signature):
            raise AuditError(f"the signature of {self.signer} does not fit the head at audit record {self.sequence}")

    def check(self, records: Sequence[AuditRecord], where: str) -> None:
        """Raise AuditError unless the checked chain `records` has this very record in its place."""
        if len(records) < self.sequence:
            raise AuditError(
                f"{where} ends at audit record {len(records)}, the anchor is record {self.sequence}: its end is cut off"
            )
        if self.sequence < 1 or records[self.sequence - 1].hash != self.hash:
            raise AuditError(
                f"audit record {self.sequence} in {where} has another hash than the anchor: what stands up to it was "
                "rewritten"
            )

    def _content(self) -> bytes:
        return f"fraudstream-audit:{self.sequence}:{self.hash}".encode()
