"""The head of the audit as a line that is kept elsewhere."""

import pytest

from models.audit.anchor import Anchor
from models.audit.chain import AuditError, Entry, chained
from models.signing import AllowedSigners, SigningKey

RECORDS = chained(None, [Entry("login", name, "key", "console") for name in ("ada", "bob", "eve")], 7)
KEY = SigningKey.generate()
ALLOWED = AllowedSigners.of([KEY.public_key])


@pytest.mark.parametrize("key", [None, KEY])
def test_what_is_printed_can_be_read_again(key: SigningKey | None) -> None:
    anchor = Anchor.of(RECORDS[1], key)
    assert Anchor.read(f" {anchor}\n") == anchor
    anchor.check(RECORDS, "the audit")


@pytest.mark.parametrize("text", ["", "3", "3:ab", "x:" + "a" * 64, "3:" + "a" * 64 + ":signer", "-1:" + "a" * 64])
def test_what_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(AuditError, match="is no anchor"):
        Anchor.read(text)


def test_a_chain_that_ends_before_its_anchor_was_cut_off() -> None:
    with pytest.raises(AuditError, match=r"ends at audit record 2, the anchor is record 3: its end is cut off"):
        Anchor.of(RECORDS[2]).check(RECORDS[:2], "Redis")


def test_an_allowed_signer_must_have_signed_this_very_head() -> None:
    Anchor.of(RECORDS[2], KEY).verify(ALLOWED)
    stranger, signed = SigningKey.generate(), Anchor.of(RECORDS[2], KEY)
    with pytest.raises(AuditError, match=f"is signed by {stranger.signer}; allowed signers are {KEY.signer}"):
        Anchor.of(RECORDS[2], stranger).verify(ALLOWED)
    with pytest.raises(AuditError, match="is signed by nobody"):
        Anchor.of(RECORDS[2]).verify(ALLOWED)
    for forged in (
        Anchor(2, signed.hash, signed.signer, signed.signature),
        Anchor(3, RECORDS[0].hash, signed.signer, signed.signature),
        Anchor(3, signed.hash, signed.signer, "no hex"),
    ):
        with pytest.raises(AuditError, match="does not fit the head"):
            forged.verify(ALLOWED)
