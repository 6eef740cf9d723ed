"""A bundle is what its signer made, or it is refused."""

import dataclasses

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bundle import Bundle, BundleError
from models.errors import FraudstreamError
from models.manifest import ManifestError, Thresholds, decode_manifest
from models.signing import AllowedSigners, SigningKey


def test_a_bundle_verifies_and_its_version_stands_for_its_content(bundle, allowed):
    manifest = bundle.verify(allowed)
    assert manifest.version == bundle.version
    assert manifest.version.startswith("m-")
    assert len(manifest.version) == 14


def test_the_same_content_gives_the_same_bytes(make_bundle, bundle):
    again = make_bundle()
    assert again == bundle


def test_another_content_gives_another_version(make_bundle, bundle):
    assert make_bundle(created_at=5).version != bundle.version
    assert make_bundle(thresholds=Thresholds(0.4, 0.9)).version != bundle.version


@given(data=st.data())
def test_no_byte_of_a_bundle_can_be_changed(data, bundle, allowed):
    part = data.draw(st.sampled_from(["manifest_bytes", "onnx", "signature"]))
    content = bytearray(getattr(bundle, part))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(BundleError, match="altered"):
        dataclasses.replace(bundle, **{part: bytes(content)}).verify(allowed)


@pytest.mark.parametrize("part", ["manifest_bytes", "onnx", "signature"])
@pytest.mark.parametrize("keep", [0, 10, -1])
def test_a_truncated_bundle_is_refused(bundle, allowed, part, keep):
    with pytest.raises(BundleError, match="altered"):
        dataclasses.replace(bundle, **{part: getattr(bundle, part)[:keep]}).verify(allowed)


def test_a_strangers_bundle_is_refused_before_it_is_parsed(bundle, allowed, tmp_path):
    stranger = SigningKey.load_or_create(tmp_path / "stranger.pem")
    forged = Bundle(b"{not even json", bundle.onnx, stranger.sign(b"{not even json"), stranger.signer)
    with pytest.raises(BundleError, match=f"signed by {stranger.signer}; allowed signers are"):
        forged.verify(allowed)


def test_a_stranger_cannot_use_an_allowed_name(bundle, allowed, key, tmp_path):
    stranger = SigningKey.load_or_create(tmp_path / "stranger.pem")
    forged = Bundle(bundle.manifest_bytes, bundle.onnx, stranger.sign(bundle.manifest_bytes), key.signer)
    with pytest.raises(BundleError, match="does not fit the manifest"):
        forged.verify(allowed)


def test_an_unsigned_bundle_is_refused(bundle):
    with pytest.raises(BundleError, match="signed by nobody; allowed signers are none"):
        dataclasses.replace(bundle, signer="").verify(AllowedSigners.of([]))


def test_a_signed_manifest_that_names_another_version_is_refused(bundle, allowed, key):
    renamed = msgspec.structs.replace(bundle.manifest, version="m-000000000000").canonical_bytes()
    with pytest.raises(ManifestError, match="calls itself m-000000000000"):
        Bundle(renamed, bundle.onnx, key.sign(renamed), key.signer).verify(allowed)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"version": 3}'])
def test_a_manifest_that_cannot_be_read_is_refused(content):
    with pytest.raises(ManifestError, match="cannot be read"):
        decode_manifest(content)


def test_a_manifest_of_a_later_kind_is_refused(bundle):
    content = bundle.manifest_bytes.replace(b'{"code_commit"', b'{"colour":1,"code_commit"')
    with pytest.raises(FraudstreamError, match="colour"):
        decode_manifest(content)


@pytest.mark.parametrize(("review", "decline"), [(-0.1, None), (1.5, None), (0.5, 0.4), (0.5, 1.1)])
def test_thresholds_out_of_order_are_refused(review, decline):
    with pytest.raises(ValueError, match="threshold"):
        Thresholds(review, decline)
