"""Keys on disk and whose signatures count."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from models.signing import AllowedSigners, SigningError, SigningKey


def test_a_made_key_can_be_read_by_its_owner_alone_and_stays_the_same(tmp_path):
    path = tmp_path / "deep" / "key.pem"
    made = SigningKey.load_or_create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert SigningKey.load_or_create(path).signer == made.signer


def test_a_key_open_to_others_is_refused_with_the_remedy(tmp_path):
    path = tmp_path / "key.pem"
    SigningKey.load_or_create(path)
    path.chmod(0o644)
    with pytest.raises(SigningError, match=f"chmod 600 {path}"):
        SigningKey.load(path)


def test_a_missing_key_is_named(tmp_path):
    with pytest.raises(SigningError, match=r"no signing key at .*none\.pem"):
        SigningKey.load(tmp_path / "none.pem")


@pytest.mark.parametrize("content", [b"", b"no key at all"])
def test_a_file_that_holds_no_key_is_refused(tmp_path, content):
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SigningError, match="cannot be read"):
        SigningKey.load(path)


def test_a_key_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "key.pem"
    pem = generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(pem)
    path.chmod(0o600)
    with pytest.raises(SigningError, match="no Ed25519 key"):
        SigningKey.load(path)


def test_a_private_key_does_not_show_in_messages(tmp_path):
    assert "private" not in repr(SigningKey.load_or_create(tmp_path / "key.pem")).lower()


def test_published_keys_are_the_allowed_signers(tmp_path):
    keys = [SigningKey.load_or_create(tmp_path / f"{number}.pem") for number in range(2)]
    for key in keys:
        key.publish(tmp_path / "allowed")
    allowed = AllowedSigners.in_folder(tmp_path / "allowed")
    assert set(allowed.keys) == {key.signer for key in keys}
    assert allowed.verified(keys[0].signer, b"content", keys[0].sign(b"content"))
    assert not allowed.verified(keys[0].signer, b"content", keys[1].sign(b"content"))
    assert not allowed.verified(keys[0].signer, b"content", b"short")


def test_an_empty_folder_of_signers_is_refused(tmp_path):
    with pytest.raises(SigningError, match=r"no public key \(\*\.pem\)"):
        AllowedSigners.in_folder(tmp_path)


def test_a_damaged_public_key_is_named(tmp_path):
    (tmp_path / "x.pem").write_bytes(b"junk")
    with pytest.raises(SigningError, match=r"x\.pem cannot be read"):
        AllowedSigners.in_folder(tmp_path)
