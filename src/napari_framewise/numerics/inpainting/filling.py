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


WHOLE = frozenset({"row", "column", "source_row", "source_column", "size", "pixels"})
"""Fields of a patch that are whole numbers."""


@dataclass(frozen=True, eq=False)
class Filling:
    """How far the hole of an image is filled.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns of the image.
    hole : (n,) int64
        Numbers of the pixels of the hole, row by row, ascending.
    source : (n,) int64
        Number of the pixel that each was copied from; -1 where it is still to be filled.
    confidence, priority : (n,) float64
        Of the patch that filled each, C and P; 0 and NaN where none did.
    order : (n,) int64
        Number of the step that filled each, from 0; -1 where none did.
    log : (k, 10) float64
        The steps, a row for each with the fields of `Patch`.
    stuck : bool
        What is left to be filled has no known pixel beside it, or there is nothing to copy from.
    """

    shape: tuple[int, int]
    hole: Array
    source: Array
    confidence: Array
    priority: Array
    order: Array
    log: Array
    stuck: bool = False

    @property
    def patches(self) -> tuple[Patch, ...]:
        """The steps."""
        rows = (dict(zip(Patch._fields, row, strict=True)) for row in self.log.tolist())
        return tuple(
            Patch(**{name: int(each) if name in WHOLE else each for name, each in row.items()})
            for row in rows
        )

    @property
    def left(self) -> int:
        """Pixels that are still to be filled."""
        return int(np.count_nonzero(self.source < 0))

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
        return self.image_of(self.source < 0, False)

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
        known = self.source >= 0
        flat[self.hole[known]] = flat[self.source[known]]
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
    count = len(numbers)
    none = np.full(count, -1, np.int64)
    return Filling(
        (given.shape[0], given.shape[1]),
        numbers.astype(np.int64),
        none,
        np.zeros(count),
        np.full(count, np.nan),
        none,
        np.empty((0, len(Patch._fields))),
    )


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

    def kept(name: str) -> Array:
        values = np.array(getattr(fresh, name))
        values[to] = getattr(filling, name)[of]
        return values

    return replace(
        fresh,
        source=kept("source"),
        confidence=kept("confidence"),
        priority=kept("priority"),
        order=kept("order"),
        log=filling.log,
    )
