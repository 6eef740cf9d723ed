"""Faults and hostile input, made on purpose: what a system is shown before a bank shows it."""
