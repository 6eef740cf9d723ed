"""What is recorded of transactions, in words and from memory or the archive: used by the review and transaction pages.

`place` names a transaction, `statements` what was stated about it, `recent` and `archived` give back rows, `amounts`
and `reasons` put them into words.
"""
