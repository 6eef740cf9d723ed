"""The audit: one chain of records of everything that somebody may have to answer for.

chain    records from entries, and the first fault of a chain
anchor   the head of a chain as one line to keep elsewhere, signed if there is a key
log      the chain in Redis: appended to atomically, also together with what a record tells of
"""
