"""Merchant categories (ISO 18245 codes): how many there are, what they charge, when they open."""

from typing import NamedTuple


class Category(NamedTuple):
    """What the merchants of one category have in common.

    Hours are local; a closing hour above 24 lies after midnight. `visits` weighs how often a customer goes to a
    favourite of this category, `elasticity` how strongly the amount follows the customer's spending level,
    `whole_share` how many prices are whole units of the currency.
    """

    mcc: int
    terminals: float
    visits: float
    online_share: float
    moto_share: float
    median_eur: float
    sigma: float
    elasticity: float
    whole_share: float
    opens_h: float
    closes_h: float


CATEGORIES: tuple[Category, ...] = (
    #        mcc   share visits online  moto median sigma elast whole opens closes
    Category(5411, 13.0, 10.00, 0.04, 0.00, 24.0, 0.75, 0.45, 0.03, 7.0, 21.0),  # grocery stores
    Category(5912, 4.0, 2.50, 0.20, 0.01, 16.0, 0.70, 0.30, 0.04, 8.0, 20.0),  # drug stores, pharmacies
    Category(5462, 5.0, 5.00, 0.00, 0.00, 6.0, 0.50, 0.15, 0.05, 6.0, 18.5),  # bakeries
    Category(5541, 4.0, 2.50, 0.00, 0.00, 48.0, 0.45, 0.35, 0.12, 5.0, 24.0),  # service stations
    Category(5542, 2.0, 1.20, 0.00, 0.00, 52.0, 0.45, 0.35, 0.15, 0.0, 24.0),  # automated fuel dispensers
    Category(5812, 9.0, 3.00, 0.03, 0.00, 34.0, 0.60, 0.60, 0.30, 11.0, 23.5),  # restaurants
    Category(5814, 5.0, 3.50, 0.15, 0.00, 11.0, 0.50, 0.25, 0.10, 9.0, 24.0),  # fast food
    Category(5813, 3.0, 1.20, 0.00, 0.00, 19.0, 0.65, 0.50, 0.40, 17.0, 27.0),  # bars
    Category(5311, 2.5, 1.00, 0.30, 0.01, 46.0, 0.85, 0.70, 0.05, 9.5, 20.0),  # department stores
    Category(5310, 3.0, 2.00, 0.10, 0.00, 18.0, 0.70, 0.20, 0.03, 8.0, 20.0),  # discount stores
    Category(5651, 4.0, 1.00, 0.40, 0.01, 52.0, 0.75, 0.70, 0.05, 10.0, 20.0),  # family clothing
    Category(5661, 2.0, 0.40, 0.40, 0.01, 72.0, 0.50, 0.60, 0.08, 10.0, 20.0),  # shoe stores
    Category(5732, 3.0, 0.50, 0.60, 0.02, 95.0, 1.10, 0.60, 0.15, 10.0, 20.0),  # electronics
    Category(5734, 1.5, 0.40, 0.85, 0.01, 39.0, 1.00, 0.40, 0.10, 9.0, 19.0),  # computer software
    Category(5942, 2.0, 0.60, 0.50, 0.01, 19.0, 0.60, 0.40, 0.03, 9.0, 19.0),  # book stores
    Category(5945, 2.0, 0.50, 0.50, 0.01, 31.0, 0.80, 0.50, 0.05, 9.5, 19.0),  # hobby, toy and game shops
    Category(5200, 2.0, 0.80, 0.20, 0.01, 44.0, 0.95, 0.50, 0.04, 8.0, 20.0),  # home supply warehouses
    Category(5712, 1.5, 0.20, 0.35, 0.03, 190.0, 1.00, 0.80, 0.20, 10.0, 19.0),  # furniture
    Category(5944, 1.0, 0.10, 0.30, 0.02, 160.0, 0.95, 1.00, 0.25, 10.0, 19.0),  # jewellery
    Category(5999, 4.0, 1.20, 0.60, 0.02, 33.0, 0.95, 0.50, 0.10, 9.0, 19.0),  # miscellaneous retail
    Category(4111, 3.0, 2.50, 0.40, 0.00, 6.5, 0.70, 0.10, 0.08, 0.0, 24.0),  # local commuter transport
    Category(4112, 1.5, 0.80, 0.70, 0.00, 38.0, 0.80, 0.40, 0.10, 5.0, 23.0),  # passenger railways
    Category(4121, 2.0, 0.60, 0.30, 0.01, 18.0, 0.50, 0.40, 0.25, 0.0, 24.0),  # taxis
    Category(4511, 1.0, 0.15, 0.90, 0.05, 170.0, 0.80, 0.70, 0.10, 6.0, 22.0),  # airlines
    Category(7011, 2.5, 0.25, 0.35, 0.15, 130.0, 0.70, 0.80, 0.30, 6.0, 24.0),  # hotels
    Category(4722, 1.0, 0.12, 0.60, 0.25, 240.0, 0.90, 0.70, 0.20, 9.0, 18.0),  # travel agencies
    Category(4814, 1.5, 0.80, 0.85, 0.05, 22.0, 0.60, 0.20, 0.25, 9.0, 19.0),  # telecommunication
    Category(4899, 1.5, 1.20, 1.00, 0.00, 12.5, 0.35, 0.15, 0.05, 0.0, 24.0),  # streaming, cable
    Category(5815, 1.5, 1.20, 1.00, 0.00, 7.0, 0.80, 0.15, 0.05, 0.0, 24.0),  # digital media
    Category(5816, 1.5, 1.20, 1.00, 0.00, 9.0, 1.00, 0.20, 0.08, 0.0, 24.0),  # digital games
    Category(5964, 1.0, 0.30, 0.50, 0.50, 58.0, 0.70, 0.40, 0.05, 0.0, 24.0),  # catalogue merchants
    Category(5968, 1.0, 0.50, 0.90, 0.10, 17.0, 0.60, 0.25, 0.08, 0.0, 24.0),  # subscription merchants
    Category(7995, 0.7, 0.25, 0.90, 0.00, 28.0, 0.90, 0.30, 0.85, 0.0, 24.0),  # betting
    Category(7832, 1.0, 0.40, 0.45, 0.00, 23.0, 0.40, 0.25, 0.30, 12.0, 24.0),  # cinemas
    Category(7997, 1.0, 0.40, 0.40, 0.02, 36.0, 0.50, 0.40, 0.35, 6.0, 23.0),  # clubs, sports
    Category(8099, 2.0, 0.30, 0.10, 0.08, 68.0, 0.80, 0.40, 0.20, 8.0, 18.0),  # medical services
    Category(6011, 5.0, 2.20, 0.00, 0.00, 80.0, 0.65, 0.50, 1.00, 0.0, 24.0),  # cash machines
)
ATM_MCC = 6011
