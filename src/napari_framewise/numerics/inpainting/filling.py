"""How far a hole is filled, as a value: what was copied from where, when, and how sure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True)
class Settings:
    """How holes are filled.

    Attributes
    ----------
    size : int
        Side of a patch in pixels, odd.
    structure : float
        Share w of the data term in the priority ``P = C ((1 - w) + w D)``; 1 is the published one.
    sigma : float
        By how much the front is smoothed before its normals are taken, in pixels.
    """

    size: int = 9
    structure: float = 0.75
    sigma: float = 2.0

    def __post_init__(self) -> None:
        if self.size < 3 or self.size % 2 == 0:
            raise ValueError(f"A patch size of {self.size} was given; an odd one from 3 is needed.")
        if not 0 <= self.structure <= 1:
            raise ValueError(f"A structure of {self.structure:g} was given; 0 to 1 is needed.")


class Patch(NamedTuple):
    """One step: which patch was filled from where.

    `row`, `column` and `source_row`, `source_column` are the middles of both; `data` is D, the
    isophote over the range of the image; `difference` is the rms difference of the pixels that were
    known, in the unit of the image.
    """

    row: int
    column: int
    source_row: int
    source_column: int
    size: int
    priority: float
    confidence: float
    data: float
    difference: float
    pixels: int


NEVER = np.int32(np.iinfo(np.int32).max)
WHOLE = frozenset({"row", "column", "source_row", "source_column", "size", "pixels"})
"""Fields of a patch that are whole numbers."""


class History:
    """The steps behind a filling: it only grows, and all fillings along it share it.

    Parameters
    ----------
    order : (n,) int32
        Number of the step that filled each pixel of the hole; `NEVER` where none did.
    rows : (k, 10) float64
        The steps.
    """

    def __init__(self, order: Array, rows: Array) -> None:
        self.order, self._rows, self.count = order, rows, len(rows)

    def rows(self, count: int) -> Array:
        """The first steps, a row for each."""
        return self._rows[:count]

    def after(self, count: int, pixels: Array, patch: Patch) -> History:
        """One with a step more behind so many: itself, or a copy where it went on otherwise."""
        history = self
        if count != self.count:
            order = np.where(self.order < count, self.order, NEVER)
            history = History(order, self._rows[:count].copy())
        if count == len(history._rows):
            more = np.empty((max(count, 64), len(Patch._fields)))
            history._rows = np.concatenate([history._rows, more])
        history._rows[count] = patch
        history.order[pixels] = count
        history.count = count + 1
        return history


@dataclass(frozen=True, eq=False)
class Filling:
    """How far the hole of an image is filled.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns of the image.
    hole : (n,) int64
        Numbers of the pixels of the hole, row by row, ascending.
    history : History
        The steps behind it, maybe more than these.
    steps : int
        How many of them count.
    left : int
        Pixels that are still to be filled.
    stuck : bool
        What is left to be filled has no known pixel beside it, or there is nothing to copy from.
    """

    shape: tuple[int, int]
    hole: Array
    history: History
    steps: int
    left: int
    stuck: bool = False

    @property
    def log(self) -> Array:
        """(k, 10) the steps, a row for each with the fields of `Patch`."""
        return self.history.rows(self.steps)

    @property
    def order(self) -> Array:
        """(n,) int64 number of the step that filled each pixel, from 0; -1 where none did."""
        order = self.history.order
        return np.where(order < self.steps, order, -1).astype(np.int64)

    @property
    def source(self) -> Array:
        """(n,) int64 number of the pixel that each was copied from; -1 where it is to be filled."""
        order, log = self.order, self.log[:, :4].astype(np.int64)
        moved = (log[:, 2] - log[:, 0]) * self.shape[1] + log[:, 3] - log[:, 1]
        return np.where(order >= 0, self.hole + self._of_step(moved, order, 0), -1)

    @property
    def confidence(self) -> Array:
        """(n,) float64 C of the patch that filled each pixel; 0 where none did."""
        return self._of_step(self.log[:, 6], self.order, 0.0)

    @property
    def priority(self) -> Array:
        """(n,) float64 P of the patch that filled each pixel; NaN where none did."""
        return self._of_step(self.log[:, 5], self.order, np.nan)

    def _of_step(self, values: Array, order: Array, otherwise: float) -> Array:
        """The value of the step that filled each pixel."""
        longer = np.append(values, np.asarray(otherwise, values.dtype))
        return np.asarray(longer[order])

    @property
    def patches(self) -> tuple[Patch, ...]:
        """The steps."""
        rows = (dict(zip(Patch._fields, row, strict=True)) for row in self.log.tolist())
        return tuple(
            Patch(**{name: int(each) if name in WHOLE else each for name, each in row.items()})
            for row in rows
        )

    @property
    def done(self) -> bool:
        """Whether no further step can be taken."""
        return self.stuck or not self.left

    def image_of(self, values: Array, outside: Any) -> Array:
        """Values of the hole's pixels (n, ...) as an image, with another value outside."""
        image = np.full((self.shape[0] * self.shape[1], *values.shape[1:]), outside)
        image[self.hole] = values
        return image.reshape(*self.shape, *values.shape[1:])

    @property
    def target(self) -> Array:
        """Pixels that are still to be filled, (y, x) bool."""
        return self.image_of(self.order < 0, False)

    def applied(self, frame: Array) -> Array:
        """An image with what is filled so far, of its own type: values are copied, not computed.

        Parameters
        ----------
        frame : (y, x) or (y, x, c)
            The image that is being filled.

        Returns
        -------
        ndarray
            What is still to be filled is as in `frame`.
        """
        flat = np.array(frame).reshape(self.shape[0] * self.shape[1], -1)
        source = self.source
        known = source >= 0
        flat[self.hole[known]] = flat[source[known]]
        return flat.reshape(frame.shape)


def begun(hole: npt.ArrayLike) -> Filling:
    """A hole of which nothing is filled yet.

    Parameters
    ----------
    hole : (y, x)
        What is not zero is to be filled; NaN is not.

    Raises
    ------
    ValueError
        Where it is not a plane.

    Examples
    --------
    >>> begun([[0, 1, 1], [0, 0, 0]]).hole.tolist()
    [1, 2]
    """
    given = np.asarray(hole)
    if given.ndim != 2:
        raise ValueError(f"A hole of {given.ndim} axes was given; rows and columns are needed.")
    numbers = np.flatnonzero((given != 0) & (given == given))
    history = History(np.full(len(numbers), NEVER), np.empty((0, len(Patch._fields))))
    shape = given.shape[0], given.shape[1]
    return Filling(shape, numbers.astype(np.int64), history, 0, len(numbers))


def with_hole(filling: Filling, hole: npt.ArrayLike) -> Filling:
    """The same with another hole, as it was edited: what is filled and still in it stays filled.

    What is no longer in the hole is as it was in the image; what was added is to be filled.

    Examples
    --------
    >>> with_hole(begun([[0, 1, 1]]), [[1, 1, 0]]).hole.tolist()
    [0, 1]
    """
    fresh = begun(hole)
    if np.array_equal(fresh.hole, filling.hole) and fresh.shape == filling.shape:
        return filling
    if fresh.shape != filling.shape:
        raise ValueError(
            f"A hole of {fresh.shape} pixels was given for an image of {filling.shape}; they must "
            "have the same shape."
        )
    _, to, of = np.intersect1d(fresh.hole, filling.hole, assume_unique=True, return_indices=True)

    order = fresh.history.order
    known = filling.order[of]
    order[to] = np.where(known >= 0, known, NEVER)
    history = History(order, filling.log.copy())
    return replace(
        fresh, history=history, steps=filling.steps, left=int(np.count_nonzero(order == NEVER))
    )
