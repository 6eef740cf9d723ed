"""The audit's copy in Kafka.

copy          reads it: every record in order, repeats left out, with the signed heads
publisher     brings it up to what Redis holds, each record acknowledged before it counts as published
verification  checks the whole of it: Redis, the copy, signed heads, the registry
"""
