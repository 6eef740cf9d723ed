"""What travels on the topics, and nothing else: the floor of the house.

Records: `transaction`, `score`, `label`, `terminal_profile`, `clock_tick`, `dead_letter`, `feature_batch`; their types
and bytes: `field_types`, `wire`, `decoding`, `card_numbers` (with `card_number_scan`), `publish`; keys and names:
`hashing`, `murmur2`, `topics`; arrays and money: `columns`, `money`, `iso_codes`.
"""
