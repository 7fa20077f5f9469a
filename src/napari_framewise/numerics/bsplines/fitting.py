"""Smoothing fits of tensor splines to scattered, weighted, incomplete data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, sparse

from napari_framewise.numerics.bsplines.lattice import Lattice

Array = NDArray[np.float64]
MOST = 6000
"""Most coefficients that are solved for: their matrix is dense, 8 bytes times the square of it."""
LEAST_STRENGTH = 1e-9
"""Strength, of the natural one, that leaves the data as they are yet settles cells without any."""
WIDEST = (-9.0, 6.0)
"""Powers of ten of the natural strength between which generalised cross-validation looks."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A spline fitted to data.

    Attributes
    ----------
    lattice : Lattice
    coefficients : (k, *lattice.shape) float64
        One set for each component of the data.
    strength : float
        Of the roughness, in the unit of `roughness_scale`.
    freedom : float
        Degrees of freedom that the fit takes of the data of a component: the trace of its hat
        matrix.
    residuals : (n, k) float64
        Data minus fit; NaN where there were no data.
    left_out : (n, k) float64
        What the residual of each point would be, had it been left out of the fit (same strength):
        ``r_i / (1 - h_ii)``.
    sigma : (k,) float64
        Standard deviation of an observation of weight 1: ``sqrt(sum w r^2 / (n - freedom))``; NaN
        where the fit has no freedom left.
    factor : (size, size) float64
        Lower Cholesky factor L of ``B' W B + strength R`` in the natural scale.
    """

    lattice: Lattice
    coefficients: Array
    strength: float
    freedom: float
    residuals: Array
    left_out: Array
    sigma: Array
    factor: Array

    def values(self, points: Any, derivatives: Sequence[int] | None = None) -> Array:
        """The fit, or a derivative of it, at points (n, d): (k, n)."""
        return self.lattice.values(self.coefficients, points, derivatives)

    def deviation(self, points: Any, sigma: float | None = None) -> Array:
        """Standard error of the fit at points (n, d): (k, n), or (n,) for a given `sigma`.

        The posterior of the roughness taken as a prior (Wahba 1983, eq. 2.6), ``sigma sqrt(b' (B' W
        B + strength R)^-1 b)``: noise, and what smoothing may have taken away, on average over the
        region. It assumes independent errors and a function as smooth everywhere as on the whole.
        """
        spread = np.empty(len(np.asarray(points)))
        for start in range(0, len(spread), _AT_ONCE):
            rows = self.lattice.design(np.asarray(points)[start : start + _AT_ONCE]).toarray()
            known = np.isfinite(rows).all(axis=1)
            solved = linalg.solve_triangular(
                self.factor, np.where(known[:, None], rows, 0).T, lower=True, check_finite=False
            )
            here = np.sqrt(np.einsum("ij,ij->j", solved, solved))
            spread[start : start + _AT_ONCE] = np.where(known, here, np.nan)
        return sigma * spread if sigma is not None else self.sigma[:, None] * spread


_AT_ONCE = 2048
"""Points whose standard error is found at once."""


def fit(
    lattice: Lattice,
    points: Any,
    data: Any,
    *,
    weights: Any = None,
    strength: float | None = None,
    order: int = 2,
    units: Sequence[float] | None = None,
) -> Fit:
    """The spline that is close to data and smooth.

    Minimises ``sum_i w_i (z_i - f(p_i))^2 + s E_order(f)``, with E as in `Lattice.roughness`, where
    s is `strength` times the natural strength of `roughness_scale`. Where there are no data the
    function goes on as smoothly as it can.

    Parameters
    ----------
    lattice : Lattice
        At most 6,000 coefficients.
    points : (n, d) float
        Where the data lie. Points with NaN are left out.
    data : (n,) or (n, k) float
        One or more components; a row with NaN is no data.
    weights : (n,) float, optional
        Inverse variances up to a factor; 0 leaves a point out. By default 1.
    strength : float, optional
        How smooth; 0 goes through the data as far as the knots allow. By default that of least
        generalised cross-validation, ``n sum w r^2 / (n - freedom)^2``, summed over the components
        (Craven & Wahba 1979).
    order, units
        See `Lattice.roughness`; units are by default the axes' spacings.

    Returns
    -------
    Fit

    Raises
    ------
    ValueError
        Where there are too many coefficients, or shapes that do not go together, a strength or
        weight below 0, or no data.

    Examples
    --------
    >>> from napari_framewise.numerics.bsplines import Axis
    >>> x = np.linspace(0, 1, 50)
    >>> found = fit(Lattice((Axis(0, 1, 8),)), x[:, None], np.sin(3 * x), strength=0.0)
    >>> bool(np.abs(found.residuals).max() < 1e-4)
    True
    """
    if lattice.size > MOST:
        raise ValueError(
            f"A spline of {lattice.size:,} coefficients was asked for; give fewer cells, for at "
            f"most {MOST:,} can be solved."
        )
    if strength is not None and not (np.isfinite(strength) and strength >= 0):
        raise ValueError(f"A strength of {strength:g} was given; give 0 or more.")
    at, values, weight = _given(points, data, weights)
    known = np.isfinite(values).all(axis=1) & np.isfinite(at).all(axis=1) & (weight > 0)
    if not known.any():
        raise ValueError("No point has data; a spline needs some.")
    size = float(weight[known].mean())
    root = np.sqrt(weight[known] / size)
    design = sparse.csr_array(lattice.design(at[known]).multiply(root[:, None]))
    # In units of the largest value, so that squares neither overflow nor vanish.
    unit = float(np.abs(values[known]).max()) or 1.0
    target = root[:, None] * (values[known] / unit)
    normal = (design.T @ design).toarray()
    rough = lattice.roughness(order, units or [axis.spacing for axis in lattice.axes]).toarray()
    rough *= _natural(normal, rough)
    system = _System(design, target, normal, rough)
    chosen = _best(system) if strength is None else strength
    factor = system.factor(chosen)
    solved = linalg.cho_solve((factor, True), design.T @ target, check_finite=False)
    spread = linalg.solve_triangular(factor, design.toarray().T, lower=True, check_finite=False)
    leverage = np.einsum("ij,ij->j", spread, spread)
    residuals = np.full(values.shape, np.nan)
    residuals[known] = values[known] / unit - lattice.design(at[known]) @ solved
    left_out = np.full(values.shape, np.nan)
    left_out[known] = residuals[known] / np.maximum(1 - leverage, 1e-12)[:, None]
    freedom = float(leverage.sum())
    spare = len(target) - freedom
    total = (weight[known][:, None] * residuals[known] ** 2).sum(axis=0)
    sigma = np.sqrt(total / spare) if spare > 1e-6 * len(target) else np.full(len(total), np.nan)
    return Fit(
        lattice,
        unit * np.ascontiguousarray(solved.T).reshape(-1, *lattice.shape),
        chosen,
        freedom,
        unit * residuals,
        unit * left_out,
        unit * sigma,
        factor * np.sqrt(size),
    )


def roughness_scale(
    lattice: Lattice,
    points: Any,
    *,
    weights: Any = None,
    order: int = 2,
    units: Sequence[float] | None = None,
) -> float:
    """The natural strength: data and roughness weigh the same, ``tr(B' W B) / tr(R)``.

    Strengths are given in it, so that neither units nor the number of data change their meaning.
    0 where the axes have no derivative of that order.

    Examples
    --------
    >>> from napari_framewise.numerics.bsplines import Axis
    >>> x, lattice = np.linspace(0, 1, 50)[:, None], Lattice((Axis(0, 1, 8),))
    >>> round(roughness_scale(lattice, np.tile(x, (2, 1))) / roughness_scale(lattice, x), 9)
    2.0
    """
    at, _, weight = _given(points, np.zeros(len(np.asarray(points))), weights)
    known = np.isfinite(at).all(axis=1) & (weight > 0)
    design = lattice.design(at[known])
    normal = (design.T @ design.multiply(weight[known][:, None])).toarray()
    rough = lattice.roughness(order, units or [axis.spacing for axis in lattice.axes])
    return _natural(normal, rough.toarray())


def _natural(normal: Array, rough: Array) -> float:
    trace = float(np.trace(rough))
    return float(np.trace(normal)) / trace if trace > 0 else 0.0


def _given(points: Any, data: Any, weights: Any) -> tuple[Array, Array, Array]:
    at = np.asarray(points, np.float64)
    values = np.asarray(data, np.float64)
    values = values[:, None] if values.ndim == 1 else values
    weight = np.ones(len(at)) if weights is None else np.asarray(weights, np.float64)
    if values.ndim != 2 or len(values) != len(at) or weight.shape != (len(at),):
        raise ValueError(
            f"{len(at):,} points, data of shape {values.shape} and weights of shape {weight.shape} "
            "were given; each point needs a row of data and one weight."
        )
    if (weight < 0).any():
        raise ValueError(f"A weight of {np.nanmin(weight):g} was given; weights are 0 or more.")
    return at, values, np.where(np.isfinite(weight), weight, 0.0)


@dataclass(frozen=True, eq=False)
class _System:
    """Weighted design (n, m), data (n, k), normal matrix and scaled roughness (m, m)."""

    design: sparse.csr_array
    target: Array
    normal: Array
    rough: Array

    def factor(self, strength: float) -> Array:
        """Lower Cholesky factor; what neither data nor roughness settle is drawn to zero."""
        matrix = self.normal + max(strength, LEAST_STRENGTH) * self.rough
        ridge = 1e-13 * float(np.trace(matrix)) / len(matrix)
        while True:
            matrix[np.diag_indices_from(matrix)] += ridge
            try:
                return np.asarray(linalg.cholesky(matrix, lower=True, check_finite=False))
            except linalg.LinAlgError:
                ridge *= 10

    def score(self, strength: float) -> float:
        """Generalised cross-validation."""
        factor = self.factor(strength)
        right = self.design.T @ self.target
        solved = linalg.cho_solve((factor, True), right, check_finite=False)
        left = ((self.target - self.design @ solved) ** 2).sum()
        spread = (
            linalg.solve_triangular(factor, self.design.toarray().T, lower=True, check_finite=False)
            if self.design.shape[0] <= self.design.shape[1]
            else None
        )
        if spread is not None:
            freedom = float((spread**2).sum())
        else:
            freedom = float(np.trace(linalg.cho_solve((factor, True), self.normal)))
        count = len(self.target)
        return float(count * left / max(count - freedom, 1e-9 * count) ** 2)


def _best(system: _System) -> float:
    """Strength of least generalised cross-validation: a coarse look, then a fine one."""
    powers = np.arange(WIDEST[0], WIDEST[1] + 1, 1.5)
    scores = [system.score(10.0**power) for power in powers]
    near = int(np.argmin(scores))
    ends = powers[max(near - 1, 0)], powers[min(near + 1, len(powers) - 1)]
    found = optimize.minimize_scalar(
        lambda power: system.score(10.0**power),
        bounds=ends,
        method="bounded",
        options={"xatol": 0.1, "maxiter": 12},
    )
    best = found.x if found.fun <= scores[near] else powers[near]
    return float(10.0**best)
