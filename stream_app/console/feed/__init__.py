"""Kafka read once for all pages: journals of what came last, and a bell that wakes whoever follows them."""
