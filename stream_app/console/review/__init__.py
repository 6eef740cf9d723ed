"""What the review page says: cases, what each is worth, what is stated about it, who holds it.

`intake` fills one `Desk` per process from Kafka; `claims` in Redis and the statements on `labels` are what several
consoles share, so that they agree. Nothing here knows of Starlette.
"""
