"""Bounds on mixing coefficients: checked, and written as linear inequalities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Bounds:
    """Bounds of K coefficients as ``rows @ b >= limits``.

    Attributes
    ----------
    low, high : (K,) float64
        Bounds of each coefficient, infinite where there is none.
    rows : (L, K) float64
        One row for every finite bound.
    limits : (L,) float64
        Their limits.
    member : (L,) int64
        The coefficient that each row bounds.
    values : (L,) float64
        The value at which each row bounds it.
    """

    low: FloatArray
    high: FloatArray
    rows: FloatArray
    limits: FloatArray
    member: NDArray[np.int64]
    values: FloatArray


def bounds_of(
    constraint: str,
    bounds: tuple[ArrayLike, ArrayLike] | None,
    count: int,
    *,
    gain: bool,
) -> Bounds:
    """Join `bounds` with the non-negativity of the `constraint`, and check that they can be met.

    Raises
    ------
    ValueError
        For a lower bound above the upper one, or a sum to one that no bounds can meet.
    """
    tied = constraint in ("sum_to_one", "fully_constrained")
    low = np.full(count, -np.inf)
    high = np.full(count, np.inf)
    if bounds is not None:
        first_only = tied and count == 2
        low = _bound_array(bounds[0], count, -np.inf, "lower", first_only)
        high = _bound_array(bounds[1], count, np.inf, "upper", first_only)
    if constraint in ("non_negative", "fully_constrained"):
        low = np.maximum(low, 0.0)
    wrong = np.flatnonzero(low > high)
    if wrong.size:
        k = int(wrong[0])
        raise ValueError(
            f"Coefficient x{k + 1} has the lower bound {low[k]:g} above its upper bound "
            f"{high[k]:g}; the lower bound must not exceed the upper one."
        )
    if tied and (low.sum() > 1 + 1e-12 or high.sum() < 1 - 1e-12):
        least, most = low.sum(), high.sum()
        raise ValueError(
            f"The coefficients must sum to one, but within their bounds the sum lies between "
            f"{least:g} and {most:g}; widen the bounds."
        )
    unit = np.eye(count)
    total = np.ones(count) if gain else np.zeros(count)
    has_low = np.flatnonzero(np.isfinite(low))
    has_high = np.flatnonzero(np.isfinite(high))
    if gain:
        # b_k >= lo sum(b) instead of x_k >= lo
        rows = np.vstack(
            [
                unit[has_low] - low[has_low, None] * total,
                high[has_high, None] * total - unit[has_high],
            ]
        )
        limits = np.zeros(len(rows))
    else:
        rows = np.vstack([unit[has_low], -unit[has_high]])
        limits = np.concatenate([low[has_low], -high[has_high]])
    member = np.concatenate([has_low, has_high])
    values = np.concatenate([low[has_low], high[has_high]])
    return Bounds(low, high, rows, limits, member, values)


def middle_of(middle: ArrayLike | None, bounds: Bounds, count: int) -> FloatArray:
    """Mixtures (m, K) that are typical: those given, or one in the middle of the bounds."""
    if middle is not None:
        given = np.atleast_2d(np.asarray(middle, dtype=np.float64))
        if given.ndim != 2 or given.shape[1] != count or not np.isfinite(given).all():
            raise ValueError(
                f"The middle mixture has shape {np.shape(middle)}; {count} finite coefficients, or "
                f"rows of {count}, are needed."
            )
        return given
    low = np.where(np.isfinite(bounds.low), bounds.low, np.minimum(0.0, bounds.high))
    high = np.where(np.isfinite(bounds.high), bounds.high, np.maximum(1.0, low))
    width = float((high - low).sum())
    share = np.clip((1 - low.sum()) / width, 0.0, 1.0) if width > 0 else 0.0
    return np.atleast_2d(low + share * (high - low))


def _bound_array(
    values: ArrayLike, count: int, missing: float, name: str, first_only: bool
) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0:
        full = np.full(count, float(array))
        if first_only:
            full[1:] = missing
    elif array.shape == (count,):
        full = array.copy()
    else:
        raise ValueError(
            f"The {name} bounds have shape {array.shape}; one number, or one for each of the "
            f"{count} references, is needed."
        )
    full[np.isnan(full)] = missing
    return full
