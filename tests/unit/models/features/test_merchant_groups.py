"""Merchant groups: every code has one, and codes of equal risk share it."""

import pytest

from models.features.merchant_groups import CASH, DIGITAL, EVERYDAY, GAMBLING, GROUP_OF_MCC, TRAVEL, UNKNOWN


@pytest.mark.parametrize(
    ("mcc", "group"), [(0, UNKNOWN), (5411, EVERYDAY), (6051, CASH), (7995, GAMBLING), (5816, DIGITAL), (3000, TRAVEL)]
)
def test_a_code_belongs_to_its_group(mcc, group):
    assert GROUP_OF_MCC[mcc] == group


def test_only_code_zero_is_unknown():
    assert (GROUP_OF_MCC[1:] != UNKNOWN).all()
