"""The weeks of a model's performance for people: `weeks` picks the records, `table` and `picture` show them.

`reader` reads them from Kafka; the others take records from anywhere.
"""
