"""The root of every error that a person can mend: one line, naming the value and the remedy."""


class FraudstreamError(Exception):
    """Raised when a value, file or service is not what it must be; commands print it on one line and exit with 2."""
