"""Continuous straight pieces whose hinges are chosen one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

Array = NDArray[np.float64]

_SOFT = 1e-6
"""How weakly a hinge is kept straight where no observation settles it, of the mean weight."""
_COST = 2.0
"""Parameters that a hinge counts for: its place, and the change of slope."""
_MOVES = (0.25, 0.12, 0.06, 0.03, 0.015)
"""Shares of the way to its neighbour by which a hinge is moved."""


@dataclass(frozen=True, eq=False)
class Hinges:
    """A continuous piecewise linear curve.

    Attributes
    ----------
    knots : (k,) float64
        Both ends and the hinges between, in order.
    heights : (k,) float64
        Rows at the knots.
    factor : (k, k) float64
        Lower Cholesky factor of their normal matrix: its inverse times the variance of an
        observation of weight 1 is the covariance of the heights, the knots being taken as given.
    """

    knots: Array
    heights: Array
    factor: Array

    def design(self, x: ArrayLike) -> Array:
        """Matrix (n, k) from heights to rows at x; straight on beyond the ends."""
        return hats(self.knots, x)


def hats(knots: Array, x: ArrayLike) -> Array:
    """Hat functions of knots at x, (n, k); straight on beyond the ends.

    Examples
    --------
    >>> hats(np.array([0.0, 1.0, 3.0]), [0.5, 2.0]).tolist()
    [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]
    """
    at = np.asarray(x, np.float64)
    cell = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, len(knots) - 2)
    share = (at - knots[cell]) / (knots[cell + 1] - knots[cell])
    found = np.zeros((len(at), len(knots)))
    index = np.arange(len(at))
    found[index, cell] = 1 - share
    found[index, cell + 1] = share
    return found


def fitted_hinges(knots: Array, x: Array, y: Array, weights: Array) -> Hinges:
    """Straight pieces between given knots, by weighted least squares.

    Examples
    --------
    >>> x = np.arange(9.0)
    >>> fitted_hinges(np.array([0, 4.0, 8]), x, abs(x - 4), np.ones(9)).heights.round(3).tolist()
    [4.0, 0.0, 4.0]
    """
    design = hats(knots, x)
    normal = (design.T * weights) @ design
    bends = _bends(knots)
    normal += _SOFT * float(weights.mean()) * (bends.T @ bends + 1e-6 * np.eye(len(knots)))
    factor = linalg.cholesky(normal, lower=True, check_finite=False)
    middle = float(np.average(y, weights=weights))
    heights = linalg.cho_solve((factor, True), (design.T * weights) @ (y - middle))
    return Hinges(knots, middle + heights, factor)


def chosen_hinges(
    candidates: Array, x: Array, y: Array, weights: Array, pieces: int | None = None
) -> Hinges:
    """Straight pieces with the hinges that are worth their cost.

    Of all candidates the one is left out that the fit misses least, and so on; of the curves on the
    way the one of the least Bayesian information criterion is taken, ``n log(sum w r^2 / n) + k log
    n`` with k = 2 + 2 hinges, for a hinge has a place and a change of slope (Schwarz 1978; backward
    choice of knots: Friedman & Silverman 1989, *Technometrics* 31, 3-21).

    Parameters
    ----------
    candidates : (k,)
        Knots from which to choose, both ends with them, in order.
    x, y, weights : (n,)
    pieces : int, optional
        Number of pieces instead of the criterion.

    Examples
    --------
    >>> x = np.arange(200.0)
    >>> y = np.where(x < 80, 0.5 * x, 80 - 0.5 * x) + np.random.default_rng(0).normal(0, 0.3, 200)
    >>> chosen_hinges(np.linspace(0, 199, 25), x, y, np.ones(200)).knots.round().tolist()
    [0.0, 80.0, 199.0]
    """
    full = fitted_hinges(candidates, x, y, weights)
    n = len(x)
    inverse = linalg.cho_solve((full.factor, True), np.eye(len(candidates)))
    heights = full.heights.copy()
    residual = y - full.design(x) @ heights
    total = float((weights * residual**2).sum())
    floor = 1e-12 * float((weights * (y - np.average(y, weights=weights)) ** 2).sum()) + 1e-300
    bends = _bends(candidates)
    left = list(range(1, len(candidates) - 1))
    best, score = list(left), np.inf
    while True:
        wanted = pieces is None or len(left) + 1 <= pieces
        now = n * np.log((total + floor) / n) + (2 + _COST * len(left)) * np.log(n)
        if wanted and now < score:
            best, score = list(left), now
        if not left or (pieces is not None and wanted):
            break
        rows = bends[[each - 1 for each in left]]
        moved = rows @ inverse
        spread = np.einsum("ij,ij->i", moved, rows)
        change = rows @ heights
        cost = change**2 / np.maximum(spread, 1e-300)
        out = int(np.argmin(cost))
        total += float(cost[out])
        # Least squares under one more condition: that this hinge is straight.
        heights = heights - moved[out] * (change[out] / spread[out])
        inverse = inverse - np.outer(moved[out], moved[out]) / spread[out]
        del left[out]
    chosen = candidates[[0, *best, len(candidates) - 1]]
    near = 3.0 * float(np.diff(candidates).mean())
    data = x, y, weights
    knots = _moved(chosen, *data)
    return fitted_hinges(knots if pieces else _merged(knots, near, floor, *data), *data)


def _loss(knots: Array, x: Array, y: Array, weights: Array) -> float:
    found = fitted_hinges(knots, x, y, weights)
    return float((weights * (y - found.design(x) @ found.heights) ** 2).sum())


def _moved(knots: Array, x: Array, y: Array, weights: Array) -> Array:
    """Hinges moved between their neighbours, one after the other, to where the fit is best."""
    best = knots
    for part in _MOVES:
        for number in range(1, len(knots) - 1):
            best = _shifted(best, number, part, x, y, weights)
    return best


def _shifted(knots: Array, number: int, part: float, x: Array, y: Array, weights: Array) -> Array:
    """The hinge where it is, or a part of the way to one of its neighbours."""
    tries = [knots]
    for side in (-1, 1):
        tried = knots.copy()
        tried[number] += part * (knots[number + side] - knots[number])
        tries.append(tried)
    return min(tries, key=lambda each: _loss(each, x, y, weights))


def _merged(knots: Array, near: float, floor: float, x: Array, y: Array, weights: Array) -> Array:
    """Pairs of hinges that stand for one between them become one, where the criterion says so."""
    n, number = len(x), 1
    while number + 2 < len(knots):
        if knots[number + 1] - knots[number] < near:
            middle = (knots[number] + knots[number + 1]) / 2
            tried = np.concatenate([knots[:number], [middle], knots[number + 2 :]])
            for part in _MOVES:
                tried = _shifted(tried, number, part, x, y, weights)
            losses = [_loss(each, x, y, weights) + floor for each in (knots, tried)]
            if n * np.log(losses[1] / losses[0]) < _COST * np.log(n):
                knots = tried
                continue
        number += 1
    return knots


def _bends(knots: Array) -> Array:
    """Change of slope at each inner knot, (k - 2, k), times the width between knots."""
    wide = np.diff(knots)
    count = len(knots) - 2
    found = np.zeros((count, len(knots)))
    index = np.arange(count)
    scale = float(wide.mean())
    found[index, index] = scale / wide[:-1]
    found[index, index + 1] = -scale / wide[:-1] - scale / wide[1:]
    found[index, index + 2] = scale / wide[1:]
    return found
