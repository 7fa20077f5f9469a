"""How far a calibration is to be trusted: two halves of the nodes, and each value left out."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.calibration.fields import Field, fit_field

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]
_WRONG = 1.7
"""Ratio of difference and uncertainty of two halves beyond which the model is wrong."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """What fits without part of the nodes say.

    Attributes
    ----------
    left_out : (m,) float64
        For each value, root mean square distance of its nodes from the field that was fitted
        without them, in pixels; NaN where there is one value only.
    beyond : (m,) bool
        Whether that field had to be extrapolated, as for the first and last value.
    difference : float
        Root mean square difference of the fields of two halves of the nodes, in pixels, at nodes.
    expected : float
        What it should be by the uncertainties of the two.
    """

    left_out: Array
    beyond: NDArray[np.bool_]
    difference: float
    expected: float

    @property
    def is_wrong(self) -> bool:
        """Whether the halves differ by more than they may."""
        return bool(self.difference > _WRONG * self.expected)


def common_to_neighbours(misfits: Array, image: IntArray, index: IntArray) -> tuple[float, float]:
    """The part of misfits that nodes share with the next ones, and its root mean square.

    ``c = mean(m_i . m_j)`` over nodes i and j next to each other in one image: 0 for noise, the
    square of what is left of a field where a model does not follow it.

    Parameters
    ----------
    misfits : (n, 2) float
        In pixels.
    image : (n,) int
        Number of each node's image.
    index : (n, 2) int
        Its row and column.

    Returns
    -------
    share, size : float
        c by the mean square, and its root in pixels; 0 where c is not positive, NaN without
        neighbours.

    Examples
    --------
    >>> index = np.argwhere(np.ones((4, 5)))
    >>> share, size = common_to_neighbours(np.full((20, 2), 0.3), np.zeros(20, int), index)
    >>> round(share, 9), round(size, 9)
    (1.0, 0.424264069)
    """
    keys = np.column_stack([image, index])
    known = {tuple(key): k for k, key in enumerate(keys.tolist())}
    pairs = [
        (k, known[number, row + down, column + right])
        for (number, row, column), k in known.items()
        for down, right in ((1, 0), (0, 1))
        if (number, row + down, column + right) in known
    ]
    if not pairs:
        return float("nan"), float("nan")
    first, second = np.array(pairs).T
    common = float((misfits[first] * misfits[second]).sum(axis=1).mean())
    whole = float((misfits**2).sum(axis=1).mean())
    share = common / whole if whole > 0 else 0.0
    return max(share, 0.0), float(np.sqrt(max(common, 0.0)))


def judged(
    field: Field,
    values: Array,
    straight: Array,
    seen: Array,
    index: IntArray,
    shape: Sequence[int],
    pitch: float,
) -> Generator[float, None, Judgement]:
    """Fit without each value, and to both halves of the nodes; yields the part that is done.

    Halves are nodes whose row and column, and number of the value, have an even or an odd sum.

    Examples
    --------
    >>> from napari_framewise.numerics.calibration import fit_field
    >>> index = np.argwhere(np.ones((6, 6)))
    >>> nodes, values = index * 10.0, np.zeros(36)
    >>> field = fit_field(values, nodes, nodes + 2, (51, 51), 10.0, strength=1e-6)
    >>> steps = judged(field, values, nodes, nodes + 2, index, (51, 51), 10.0)
    >>> [round(part, 2) for part in steps]
    [0.33, 0.67, 1.0]
    """
    strength = field.fit.strength
    distinct, which = np.unique(values, return_inverse=True)
    steps = len(distinct) + 2
    left_out = np.full(len(distinct), np.nan)
    beyond = np.zeros(len(distinct), bool)
    beyond[[0, -1]] = True
    for number in range(len(distinct)):
        mine = which == number
        if len(distinct) > 1 and (~mine).sum() >= 4:
            rest = fit_field(
                values[~mine], straight[~mine], seen[~mine], shape, pitch, strength=strength
            )
            at = np.column_stack([values[mine], straight[mine]])
            off = seen[mine] - straight[mine] - rest.fit.values(at).T
            left_out[number] = np.sqrt((off**2).sum(axis=1).mean())
        yield (number + 1) / steps
    odd = (index.sum(axis=1) + which) % 2 == 1
    degree = field.fit.lattice.axes[0].degree
    difference = expected = float("nan")
    enough = all(len(np.unique(values[half])) == len(distinct) for half in (odd, ~odd))
    if enough and min(odd.sum(), (~odd).sum()) >= 4:
        at = np.column_stack([values, straight])
        parts = []
        for half in (odd, ~odd):
            # Half the nodes weigh half as much against the same bending energy.
            parts.append(
                fit_field(
                    values,
                    straight,
                    seen,
                    shape,
                    pitch,
                    strength=strength * 2,
                    weights=half.astype(float),
                    degree=degree,
                )
            )
            yield (len(distinct) + len(parts)) / steps
        one, other = parts
        apart = one.fit.values(at) - other.fit.values(at)
        difference = float(np.sqrt((apart**2).sum(axis=0).mean()))
        # By each half's own residuals: those of the whole grow with what is wrong between halves.
        total = sum(part.fit.deviation(at) ** 2 for part in parts)
        expected = float(np.sqrt(np.sum(total, axis=0).mean()))
    return Judgement(left_out, beyond, difference, expected)
