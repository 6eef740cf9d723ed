"""A model as it is stored and shipped: graph, manifest and signature, verified before anything of it is parsed."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import msgspec
from onnx import ModelProto

from models.errors import FraudstreamError
from models.manifest import Manifest, decode_manifest
from models.signing import AllowedSigners, SigningKey


class BundleError(FraudstreamError):
    """Raised for a bundle that is incomplete, altered, signed by a stranger, or not made for these features."""


@dataclass(frozen=True)
class Bundle:
    """The four parts of a model.

    Parameters
    ----------
    manifest_bytes
        Canonical JSON of the manifest; the signature is over these.
    onnx
        The serialised graph; its SHA-256 stands in the manifest.
    signature
        64 bytes, Ed25519.
    signer
        Fingerprint of the public key that must verify it.
    """

    manifest_bytes: bytes
    onnx: bytes
    signature: bytes
    signer: str

    @classmethod
    def build(cls, manifest: Manifest, graph: ModelProto, key: SigningKey) -> "Bundle":
        """Fill in the graph's hash and the version, and sign."""
        content = graph.SerializeToString(deterministic=True)
        hashed = msgspec.structs.replace(manifest, onnx_sha256=hashlib.sha256(content).hexdigest())
        manifest_bytes = hashed.sealed().canonical_bytes()
        return cls(manifest_bytes, content, key.sign(manifest_bytes), key.signer)

    @cached_property
    def manifest(self) -> Manifest:
        """The decoded manifest; trust it only after `verify`."""
        return decode_manifest(self.manifest_bytes)

    @property
    def version(self) -> str:
        """The version that the manifest states."""
        return self.manifest.version

    def verify(self, allowed: AllowedSigners) -> Manifest:
        """Check signer, signature, manifest and the graph's hash, in this order, and return the manifest."""
        if self.signer not in allowed.keys:
            known = ", ".join(allowed.keys) or "none"
            raise BundleError(
                f"bundle is signed by {self.signer[:40] or 'nobody'}; allowed signers are {known}: add its public key"
            )
        if not allowed.verified(self.signer, self.manifest_bytes, self.signature):
            raise BundleError(
                f"signature of {self.signer} does not fit the manifest: it was altered; fetch the bundle again"
            )
        found = hashlib.sha256(self.onnx).hexdigest()
        if found != self.manifest.onnx_sha256:
            raise BundleError(
                f"graph of {self.version:.40} has sha256 {found[:12]}…, not {self.manifest.onnx_sha256[:12]}…:"
                f" {len(self.onnx)} bytes are truncated or altered; fetch the bundle again"
            )
        return self.manifest
