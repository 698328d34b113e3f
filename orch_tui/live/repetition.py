"""Whether an agent does the same again and again: equal calls one after the other, or in turns."""

from __future__ import annotations

from collections import deque

OFTEN = 4
"""Times the same must come in a row before it is said."""

_LONGEST_CYCLE = 3


class Repetition:
    """The answered calls of an agent, as far as needed to see that they come again."""

    def __init__(self) -> None:
        self._calls: deque[tuple[int, int]] = deque(maxlen=_LONGEST_CYCLE)
        self._equal = [0] * (_LONGEST_CYCLE + 1)
        """By length of cycle: how many of the newest calls are as the one a cycle before."""
        self._asked = [0] * (_LONGEST_CYCLE + 1)
        """Likewise, whatever was answered."""

    def add(self, call: int, answer: int) -> None:
        """Note a call that was answered; both are hashes, of tool and input and of the result."""
        for cycle in range(1, _LONGEST_CYCLE + 1):
            before = self._calls[-cycle] if len(self._calls) >= cycle else None
            is_same_call = before is not None and before[0] == call
            self._asked[cycle] = self._asked[cycle] + 1 if is_same_call else 0
            is_equal = is_same_call and before is not None and before[1] == answer
            self._equal[cycle] = self._equal[cycle] + 1 if is_equal else 0
        self._calls.append((call, answer))

    @property
    def loops(self) -> int:
        """How often the same calls got the same results in a row; 0 where not ``OFTEN``."""
        return _times(self._equal)

    @property
    def polls(self) -> int:
        """How often the same calls were made in a row, whatever came back; 0 where not often."""
        return _times(self._asked)


def _times(run: list[int]) -> int:
    for cycle in range(1, len(run)):
        times = run[cycle] // cycle + 1
        if times >= OFTEN:
            return times
    return 0
