"""One continuous curve through the places at which an outline was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg
from skimage import measure

from napari_framewise.numerics.bsplines import Axis, Fit, Lattice, fit
from napari_framewise.numerics.curves.hinges import Hinges, chosen_hinges
from napari_framewise.numerics.curves.observing import Sightings

Array = NDArray[np.float64]
Form = Literal["spline", "pieces"]

_HUBER = 1.345
_TUKEY = 4.685
_ROUNDS = 10
_SETTLED = 1e-2
_PER_CELL = 2.0
FEWEST = 4
"""Sightings without which there is no curve."""
_MOST_CELLS = 150
_WEAKEST = 1e-5
"""Strength below which a gap is bridged by rounding instead of a smooth curve."""
_FINEST = 0.25
"""Deviation in pixels below which nothing is taken for an outlier."""
_GAP, _BESIDE = 3.0, 4
_FAR, _COARSE = 8.0, 0.1


@dataclass(frozen=True, eq=False)
class OutlineCurve:
    """A continuous curve y(x) through an outline.

    Attributes
    ----------
    fit : Fit or Hinges
        The cubic spline, or the straight pieces.
    span : (float, float)
        First and last column that the curve was asked for.
    sightings : Sightings
        What it was fitted to.
    residuals : (n,) float64
        Their row minus the curve's.
    trust : (n,) float64
        Weight of each against outliers, 0 to 1.
    sigma : float
        Standard deviation of a sighting along the normal, in pixels: 1.4826 times the median
        absolute weighted residual, for the degrees of freedom left.
    freedom : float
        Degrees of freedom that the fit takes.
    """

    fit: Fit | Hinges
    span: tuple[float, float]
    sightings: Sightings
    residuals: Array
    trust: Array
    sigma: float
    freedom: float

    @property
    def knots(self) -> Array:
        """Columns at which pieces meet, with both ends."""
        if isinstance(self.fit, Hinges):
            return self.fit.knots
        axis = self.fit.lattice.axes[0]
        return np.linspace(axis.start, axis.stop, axis.cells + 1)

    def design(self, x: ArrayLike) -> Array:
        """Matrix from coefficients to rows at columns (n,)."""
        if isinstance(self.fit, Hinges):
            return self.fit.design(x)
        return np.asarray(self.fit.lattice.design(np.asarray(x, np.float64)[:, None]).toarray())

    @property
    def coefficients(self) -> Array:
        """Of the curve, (k,)."""
        return self.fit.heights if isinstance(self.fit, Hinges) else self.fit.coefficients[0]

    def values(self, x: ArrayLike) -> Array:
        """Rows at columns (n,); beyond the span the curve goes straight on."""
        at = np.asarray(x, np.float64)
        inside = np.clip(at, *self.span)
        rows = self.design(inside) @ self.coefficients
        if (at != inside).any():
            slopes = [self._slope(end, into) for end, into in zip(self.span, (1, -1), strict=True)]
            rows = rows + np.where(at < inside, slopes[0], slopes[1]) * (at - inside)
        return np.asarray(rows)

    def _slope(self, end: float, into: int) -> float:
        step = 1e-3 * into * (self.span[1] - self.span[0])
        there = self.design([end, end + step]) @ self.coefficients
        return float((there[1] - there[0]) / step)

    def deviation(self, x: ArrayLike) -> Array:
        """Standard error of the curve's rows at columns (n,)."""
        rows = self.design(np.clip(np.asarray(x, np.float64), *self.span))
        solved = linalg.solve_triangular(self.fit.factor, rows.T, lower=True, check_finite=False)
        return np.asarray(self.sigma * np.sqrt(np.einsum("ij,ij->j", solved, solved)))

    def draws(self, x: ArrayLike, count: int, seed: int = 0) -> Array:
        """Rows (count, n) of curves drawn from the distribution that the errors describe."""
        normal = np.random.default_rng(seed).standard_normal((len(self.fit.factor), count))
        moves = linalg.solve_triangular(self.fit.factor.T, normal, lower=False, check_finite=False)
        rows = self.design(np.clip(np.asarray(x, np.float64), *self.span))
        return np.asarray((rows @ (self.coefficients[:, None] + self.sigma * moves)).T)


def outline_curve(
    sightings: Sightings,
    span: tuple[float, float],
    form: Form = "spline",
    pieces: int | None = None,
) -> OutlineCurve:
    """The continuous curve through what was seen of an outline.

    Parameters
    ----------
    sightings : Sightings
    span : (float, float)
        First and last column of the curve.
    form : {"spline", "pieces"}
        A cubic smoothing spline, its strength by generalised cross-validation (Craven & Wahba
        1979); or straight pieces that meet (hinges), see `chosen_hinges`.
    pieces : int, optional
        Number of straight pieces, instead of that of the least Bayesian information criterion.

    Returns
    -------
    OutlineCurve

    Raises
    ------
    ValueError
        Where fewer than 4 places are known, or the span is empty.

    Notes
    -----
    Outliers weigh less: by Huber's weights of studentised residuals, ``min(1, 1.345 sigma / |r|)``
    (Huber 1964), then by Tukey's, ``(1 - (r / 4.685 sigma)^2)^2``, which leave out what lies far
    off. Studentised, ``r / sqrt(1 - h)``, so that an outlier at the edge of a gap, which draws the
    curve to itself, is known for what it is.

    Examples
    --------
    >>> x = np.arange(0.0, 200.0, 4.0)
    >>> seen = Sightings(x, np.where(x < 100, 0.5 * x, 100 - 0.5 * x), np.ones(50), 4.0)
    >>> curve = outline_curve(seen, (0, 199), "pieces")
    >>> bool(np.abs(curve.residuals).max() < 0.01)
    True
    """
    count = len(sightings.columns)
    if count < FEWEST:
        raise ValueError(
            f"An outline was seen in {count} places of {sightings.stretch:g} pixels; at least "
            f"{FEWEST} are needed for a curve."
        )
    if not span[0] < span[1]:
        raise ValueError(
            f"Columns {span[0]:g} to {span[1]:g} were given; the first must lie before the last."
        )
    spline, trust = _robust(sightings, span)
    if form == "spline":
        return _curve(spline, span, sightings, trust, spline.freedom)
    candidates = np.linspace(*span, max(_cells(sightings, span), pieces or 1) + 1)
    x, y, weights = sightings.columns, sightings.rows, sightings.weights * trust
    found = chosen_hinges(candidates, x, y, weights, pieces)
    return _curve(found, span, sightings, trust, float(len(found.knots)))


def _believed(sightings: Sightings) -> Array:
    """0 for places at the edge of a gap that lie far off the line through their neighbours.

    Before any fit, for there a curve follows an outlier at no cost. The line is that of the median
    slope and height (Theil 1950, Sen 1968).
    """
    x, y, root = sightings.columns, sightings.rows, np.sqrt(sightings.weights)
    believed = np.ones(len(x))
    step = np.hypot(np.diff(x), np.diff(y))
    bends = np.abs(y[1:-1] - (y[:-2] + y[2:]) / 2) * root[1:-1]
    limit = _FAR * max(1.2 * float(np.median(bends)), _COARSE)
    for edge in np.flatnonzero(step > _GAP * sightings.stretch):
        for index, way in ((edge, -1), (edge + 1, 1)):
            near = index + way * np.arange(1, _BESIDE + 1)
            near = near[(near >= 0) & (near < len(x))]
            first, second = np.triu_indices(len(near), 1)
            run, rise = x[near[second]] - x[near[first]], y[near[second]] - y[near[first]]
            apart = np.abs(run) > 1e-6
            if len(near) < _BESIDE or not apart.any():
                continue
            slope = float(np.median(rise[apart] / run[apart]))
            height = float(np.median(y[near] - slope * (x[near] - x[index])))
            believed[index] = root[index] * abs(y[index] - height) <= limit
    return believed


def _cells(sightings: Sightings, span: tuple[float, float]) -> int:
    wide = _PER_CELL * sightings.stretch
    return int(np.clip((span[1] - span[0]) / wide, 1, _MOST_CELLS))


def _robust(sightings: Sightings, span: tuple[float, float]) -> tuple[Fit, Array]:
    """The smoothing spline, and how far each place is trusted."""
    lattice = Lattice((Axis(float(span[0]), float(span[1]), _cells(sightings, span), 3),))
    believed = _believed(sightings)
    trust = believed
    found = _smooth(lattice, sightings, trust)
    for weigh in (_huber, _tukey):
        for _ in range(_ROUNDS):
            size = _studentised(found, sightings)
            new = believed * weigh(size, _scale(size))
            moved = float(np.abs(new - trust).max())
            trust = new
            if moved < _SETTLED:
                break
            # The choice of strength is the costly part: weights are found at one strength.
            found = _at(lattice, sightings, trust, found.strength)
        found = _smooth(lattice, sightings, trust)
    return found, trust


def _at(lattice: Lattice, sightings: Sightings, trust: Array, strength: float | None) -> Fit:
    points, weights = sightings.columns[:, np.newaxis], sightings.weights * trust
    return fit(lattice, points, sightings.rows, weights=weights, strength=strength)


def _smooth(lattice: Lattice, sightings: Sightings, trust: Array) -> Fit:
    """The fit of least cross-validation, smooth enough to bridge a gap."""
    found = _at(lattice, sightings, trust, None)
    return found if found.strength >= _WEAKEST else _at(lattice, sightings, trust, _WEAKEST)


def _studentised(found: Fit, sightings: Sightings) -> Array:
    """Residuals along the normal, over what their spread is a multiple of."""
    plain = sightings.rows - found.values(sightings.columns[:, np.newaxis])[0]
    # Of what weighs nothing the fit knows no residual: it is left out already.
    left_out = np.where(np.isfinite(found.left_out[:, 0]), found.left_out[:, 0], plain)
    return np.asarray(np.sqrt(sightings.weights * np.abs(plain * left_out)))


def _scale(size: Array) -> float:
    return max(1.4826 * float(np.median(size)), _FINEST)


def _huber(size: Array, sigma: float) -> Array:
    limit = _HUBER * sigma
    return np.divide(limit, size, out=np.ones(len(size)), where=size > limit)


def _tukey(size: Array, sigma: float) -> Array:
    return np.asarray(np.maximum(1 - (size / (_TUKEY * sigma)) ** 2, 0.0) ** 2)


def _curve(
    found: Fit | Hinges,
    span: tuple[float, float],
    sightings: Sightings,
    trust: Array,
    freedom: float,
) -> OutlineCurve:
    curve = OutlineCurve(found, span, sightings, np.empty(0), trust, np.nan, freedom)
    residuals = sightings.rows - curve.values(sightings.columns)
    spare = max(1.0, float(trust.sum()) - freedom)
    sizes = np.sqrt(sightings.weights) * np.abs(residuals)
    sigma = max(1.4826 * float(np.median(sizes)), 1e-9) * float(np.sqrt(trust.sum() / spare))
    return OutlineCurve(found, span, sightings, residuals, trust, sigma, freedom)


def curve_vertices(curve: OutlineCurve, tolerance: float = 0.1) -> Array:
    """Vertices (n, 2), rows and columns, of a path along a curve.

    Parameters
    ----------
    curve : OutlineCurve
    tolerance : float
        How far the path may lie from the spline, in pixels (Douglas & Peucker 1973); straight
        pieces have a vertex at each hinge.

    Examples
    --------
    >>> x = np.arange(0.0, 50.0, 2.0)
    >>> straight = outline_curve(Sightings(x, 3 + 0.5 * x, np.ones(25), 2.0), (0, 48))
    >>> curve_vertices(straight).round(2).tolist()
    [[3.0, 0.0], [27.0, 48.0]]
    """
    if isinstance(curve.fit, Hinges):
        return np.stack([curve.fit.heights, curve.fit.knots], axis=1)
    first, last = curve.span
    x = np.linspace(first, last, max(2, int(np.ceil(last - first)) + 1))
    path = np.stack([curve.values(x), x], axis=1)
    simple: Array = measure.approximate_polygon(path, tolerance)  # type: ignore[no-untyped-call]
    return simple
