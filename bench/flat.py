"""Whether what a process takes is flat from the middle of a run to its end.

>>> flat([8.0] * 3 + [20.0] * 30, times=1.15)
>>> flat([20.0 + night for night in range(33)], times=1.15)
(36.0, 51.0)
>>> flat([12] * 20 + [40] + [12] * 20)
>>> flat([12] * 30 + [13] * 10)
(12, 13)
>>> flat([12] * 10 + [13] * 10)
"""

import statistics

# Fewer have no middle that is beyond the beginning: a journal fills, and caches with it.
NIGHTS = 30


def at_times(values):
    """At the beginning, in the middle and in the end: medians of three, so that none of them is a moment's."""
    middle = len(values) // 2
    three = [values[:3], values[max(0, middle - 1):middle + 2], values[-3:]]
    return [statistics.median(some) for some in three]


def flat(values, times=1.0, more=0):
    """None where the end is at most so many times the middle, and so much more; else both of them. Of few values nothing is said."""
    if len(values) < NIGHTS:
        return None
    _, middle, end = at_times(values)
    return (middle, end) if end > middle * times + more else None
