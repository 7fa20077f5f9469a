"""How far a pass has come, in numbers and in words."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

R = TypeVar("R")
T = TypeVar("T")
# Above these, hours say no more than days.
_LONG_DAYS = 3


@dataclass(frozen=True)
class Notice:
    """What should be known before a run goes on, in a sentence."""

    text: str


@dataclass(frozen=True)
class Progress:
    """One report of a running pass.

    Attributes
    ----------
    label : str
        What is being done: "Fitting", or "Fitting, pass 2 of 3".
    done, total : int
        Finished and all items.
    unit : str
        What the items are: frames, rows or pairs.
    elapsed : float
        Seconds since the pass began.
    """

    label: str
    done: int
    total: int
    unit: str = "frames"
    elapsed: float = 0.0

    @property
    def fraction(self) -> float:
        """Finished part, 0 to 1; 1 where there is nothing to do."""
        return self.done / self.total if self.total else 1.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds to go at the rate so far; None where nothing is finished yet."""
        if not self.done:
            return None
        return self.elapsed * (self.total - self.done) / self.done

    def text(self) -> str:
        """One line: "Fitting: 2,048 of 10,000 frames, 3 s left"."""
        count = f"{self.label}: {self.done:,} of {self.total:,} {self.unit}"
        left = self.seconds_left
        if left is None or self.done == self.total:
            return count
        return f"{count}, {duration(left)} left"


def duration(seconds: float) -> str:
    """Seconds in words: "40 s", "12 min", "3 h 20 min", "9 days"."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    if minutes < _LONG_DAYS * 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{round(minutes / (24 * 60)):,} days"


def finish(run: Generator[R, None, T], report: Callable[[R], None]) -> T:
    """Run a generator to its end, passing on what it yields; give back what it returns."""
    with closing(run):
        while True:
            try:
                report(next(run))
            except StopIteration as end:
                value: T = end.value
                return value
