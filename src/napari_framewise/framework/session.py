"""A steered run: steps that are taken one by one, gone back on, and told of changed inputs.

Built as the solvers of PyLops are (Ravasi and Vasconcelos 2020, SoftwareX 11, 100361): a state is
set up, moved on by steps, and finalised, and `run` is nothing but the steps to their end.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import Progress
from napari_framewise.framework.inputs import Inputs, Value
from napari_framewise.framework.outcome import Outcome, PointsResult, ShapesResult
from napari_framewise.framework.partial import Partial
from napari_framewise.stacks.source import ArraySource
from napari_framewise.stacks.stack import Stack

S = TypeVar("S")
Steered: TypeAlias = Generator[Progress | Partial, None, Outcome]

UNDO_BYTES = 256 * 2**20
"""What the states behind the present one may take together; the oldest go first."""
_SO_FAR_SECONDS = 0.1


@dataclass(frozen=True, eq=False)
class Change:
    """An input that was changed in mid-run.

    Attributes
    ----------
    step : int
        How many steps had been taken.
    role : str
        Whose values they are.
    values : tuple
        What stands in the role from then on.
    """

    step: int
    role: str
    values: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Course:
    """How a steered run went beyond its inputs and parameters: enough to run it again.

    Attributes
    ----------
    changes : sequence of Change
        In the order of their steps.
    steps : int, optional
        How many steps were taken, where it was ended before it was done.
    """

    changes: Sequence[Change] = ()
    steps: int | None = None

    def __bool__(self) -> bool:
        return bool(self.changes) or self.steps is not None


class Session(ABC, Generic[S]):
    """The state of a steered run.

    A tool's session says how a state begins, moves on, ends and is told; everything else is here. A
    state is a value: `advance` gives a new one and leaves the old one as it is, so that undoing is
    going back to it.

    Parameters
    ----------
    inputs : Inputs
        What it begins with.
    parameters : Parameters
        They hold for the whole run.
    engine : Engine
        Where its passes run.

    Attributes
    ----------
    steers : tuple of str
        Roles whose inputs may be changed between two steps.
    inputs : Inputs
        What the next step sees.
    first_inputs : Inputs
        What the first step saw.
    number : int
        How many steps have been taken.
    """

    steers: ClassVar[tuple[str, ...]] = ()

    def __init__(self, inputs: Inputs, parameters: Any, engine: Engine) -> None:
        for role in self.steers:
            inputs = inputs.changed(role, tuple(map(held, inputs.as_given(role))))
        self.inputs = self.first_inputs = inputs
        self.parameters = parameters
        self.engine = engine
        self.number = 0
        self._changes: list[Change] = []
        self._state = self.begin()
        self._behind: deque[S] = deque()
        self._held = Held()

    @abstractmethod
    def begin(self) -> S:
        """The state before the first step."""

    @abstractmethod
    def advance(self, state: S) -> Generator[Progress, None, S]:
        """The state after one more step; progress of a step that takes its time."""

    @abstractmethod
    def ended(self, state: S) -> bool:
        """Whether there is nothing left to do."""

    @abstractmethod
    def outcome_of(self, state: S) -> Outcome:
        """What a state is as a result."""

    @property
    def done(self) -> bool:
        """Whether there is nothing left to do."""
        return self.ended(self._state)

    @property
    def undoable(self) -> int:
        """How many steps can be undone."""
        return len(self._behind)

    def outcome(self) -> Outcome:
        """What there is so far."""
        return self.outcome_of(self._state)

    def step(self) -> Generator[Progress, None, None]:
        """Take one step; where it is closed in its middle, the state is as before it.

        Raises
        ------
        ValueError
            Where there is nothing left to do.
        """
        if self.done:
            raise ValueError(f"The run is done after {self.number} steps; there is none to take.")
        before = self._state
        self._state = yield from self.advance(before)
        self.number += 1
        self._behind.append(before)
        self._held.add(before)
        while self._behind and self._held.nbytes > UNDO_BYTES:
            self._held.drop(self._behind.popleft())

    def undo(self) -> None:
        """Go back one step; inputs stay as they are now, and count from here on.

        Raises
        ------
        ValueError
            Where no state behind this one is kept.
        """
        if not self._behind:
            raise ValueError("There is no step to undo: none was taken, or none behind it is kept.")
        self._state = self._behind.pop()
        self._held.drop(self._state)
        self.number -= 1
        for change in [each for each in self._changes if each.step > self.number]:
            self._changes.remove(change)
            self._record(replace(change, step=self.number))

    def change(self, role: str, *values: Value) -> None:
        """Put other values into a role; the next step sees them.

        Raises
        ------
        ValueError
            Where the role is not one of those that may be changed, or the values do not fit it.
        """
        if role not in self.steers:
            may = ", ".join(self.steers) or "none"
            raise ValueError(f"{role} can't be changed in mid-run; the inputs that can are: {may}.")
        kept = tuple(map(held, values))
        self.inputs = self.inputs.changed(role, kept)
        self._record(Change(self.number, role, kept))

    def course(self) -> Course:
        """What was changed, and the number of steps where it is not done: to run it again."""
        return Course(tuple(self._changes), None if self.done else self.number)

    def _record(self, change: Change) -> None:
        """Keep a change; of several before the same step the last one of a role counts."""
        if change.step == 0:
            self.first_inputs = self.first_inputs.changed(change.role, change.values)
            self._state = self.begin()
            return
        at_once = [
            each for each in self._changes if (each.step, each.role) != (change.step, change.role)
        ]
        self._changes = [*at_once, change]


Sessions: TypeAlias = type[Session[Any]]


def driven(session: Sessions) -> Callable[[Inputs, Any, Engine], Steered]:
    """The `run` of a tool with a session: its steps, one after the other, to the end."""

    def run(inputs: Inputs, parameters: Any, engine: Engine) -> Steered:
        return (yield from drive(session(inputs, parameters, engine)))

    return run


def drive(session: Session[Any], course: Course = Course()) -> Steered:
    """Take a session's steps as a course says, to its end where it says nothing."""
    changes = sorted(course.changes, key=lambda change: change.step)
    told = time.monotonic()
    while True:
        while changes and changes[0].step == session.number:
            change = changes.pop(0)
            session.change(change.role, *change.values)
        if session.done or session.number == course.steps:
            return session.outcome()
        yield from session.step()
        if time.monotonic() - told > _SO_FAR_SECONDS:
            told = time.monotonic()
            yield Partial(session.outcome())


def held(value: Any) -> Any:
    """A value that stays what it is while its layer or its array is edited."""
    array = _array_of(value)
    if array is not None:
        return replace(value, source=ArraySource(array.copy()), origin=None)
    if isinstance(value, PointsResult):
        return replace(value, data=np.array(value.data))
    if isinstance(value, ShapesResult):
        return replace(value, data=[np.array(each) for each in value.data])
    return value


def same_value(one: Any, other: Any) -> bool:
    """Whether two values of a role hold the same data; what is not in memory is itself only."""
    if isinstance(one, Stack) and isinstance(other, Stack):
        if one.selection != other.selection or one.axes != other.axes:
            return False
        mine, its = _array_of(one), _array_of(other)
        if mine is None or its is None:
            return one.source == other.source
        return np.array_equal(mine, its, equal_nan=mine.dtype.kind == "f")
    if isinstance(one, PointsResult | ShapesResult) and type(one) is type(other):
        coordinates = [list(each.data) for each in (one, other)]
        return len(one.data) == len(other.data) and all(map(np.array_equal, *coordinates))
    return one is other


class Held:
    """Bytes of all arrays in some values, each counted once, kept as values come and go."""

    def __init__(self) -> None:
        self.nbytes = 0
        self._counts: Counter[int] = Counter()

    def add(self, value: Any) -> None:
        """Count the arrays of a value."""
        for key, nbytes in _arrays_of(value).items():
            self.nbytes += 0 if self._counts[key] else nbytes
            self._counts[key] += 1

    def drop(self, value: Any) -> None:
        """Count them no longer."""
        for key, nbytes in _arrays_of(value).items():
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]
                self.nbytes -= nbytes


def _arrays_of(value: Any) -> dict[int, int]:
    """Bytes of each array in a value, by its identity."""
    arrays: dict[int, int] = {}
    _collect(value, arrays)
    return arrays


def _collect(value: Any, arrays: dict[int, int]) -> None:
    parts: Iterable[Any] = ()
    if isinstance(value, np.ndarray):
        arrays[id(value)] = value.nbytes
    elif is_dataclass(value) and not isinstance(value, type):
        parts = (getattr(value, each.name) for each in fields(value))
    elif isinstance(value, dict):
        parts = value.values()
    elif isinstance(value, list | tuple | deque | set):
        parts = value
    for part in parts:
        _collect(part, arrays)


def _array_of(value: Any) -> np.ndarray[Any, Any] | None:
    """The array of a stack in memory."""
    source = value.source if isinstance(value, Stack) else None
    array = source.array if isinstance(source, ArraySource) else None
    return array if isinstance(array, np.ndarray) else None
