"""What is shown of a card identifier."""

from typing import Final

from stream_app.console.people.role import Role

_SHOWN: Final = 4
_HIDDEN: Final = "••••"


def mask_card(card_id: str, role: Role) -> str:
    """Return the identifier for an analyst and above, at most its last four characters for a viewer.

    Examples
    --------
    >>> mask_card("card-00012345", Role.VIEWER)
    '••••2345'
    >>> mask_card("card-00012345", Role.ANALYST)
    'card-00012345'
    >>> mask_card("c12", Role.VIEWER)
    '••••'
    """
    if role >= Role.ANALYST:
        return card_id
    return _HIDDEN + (card_id[-_SHOWN:] if len(card_id) > _SHOWN else "")
