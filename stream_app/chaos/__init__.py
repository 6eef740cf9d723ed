"""Faults on purpose: real processes on a real Kafka and Redis are broken while payments flow, then all is counted.

`world` holds what a scenario breaks, `scenarios/` what is done to it, `accounts` adds up every transaction afterwards.
"""
