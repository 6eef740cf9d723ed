"""The root of every error that a person can mend: one line, naming the value and the remedy."""


class FraudstreamError(Exception):
    """Raised when a value, file or service is not what it must be; commands print it on one line and exit with 2."""


LONGEST_QUOTED = 300


def one_line(error: Exception) -> str:
    r"""Return what another package's error says, on one line of at most LONGEST_QUOTED characters.

    Examples
    --------
    >>> one_line(ValueError("two\n  lines"))
    'two lines'
    """
    return " ".join(str(error).split())[:LONGEST_QUOTED]
