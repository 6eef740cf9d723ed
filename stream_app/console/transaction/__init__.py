"""What the transaction page says of one decision: found, explained, computed again.

`search` finds a `Decision` in memory, archive or topics; `explanation` splits its score, `reproduction` computes it
once more with the model that made it. Nothing here knows of Starlette.
"""
