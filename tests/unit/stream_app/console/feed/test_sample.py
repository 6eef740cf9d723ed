"""What is told of ten thousand scores a second."""

from stream_app.console.feed.sample import FLAGGED_PER_S, PLAIN_PER_S, Sample


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_all_that_is_flagged_is_told_up_to_the_bound_and_the_last_of_it() -> None:
    sample = Sample(Clock())
    assert set(sample.chosen(2_000, list(range(0, 2_000, 50)))) >= set(range(0, 2_000, 50))
    rest = [place for place in sample.chosen(2_000, list(range(1_000))) if place < 1_000]
    assert rest == list(range(1_000 - (FLAGGED_PER_S - 40), 1_000))


def test_the_approved_are_spread_over_the_second_and_over_the_batch() -> None:
    clock = Clock()
    sample = Sample(clock)
    told = [sample.chosen(1_000, []) for _ in range(10)]
    assert sum(map(len, told)) == PLAIN_PER_S
    assert told[0] == [249, 499, 749, 999]
    clock.now_s = 1.0
    assert sample.chosen(3, []) == [0, 1, 2]


def test_a_lonely_score_is_told() -> None:
    assert Sample(Clock()).chosen(1, []) == [0]
    assert Sample(Clock()).chosen(1, [0]) == [0]
