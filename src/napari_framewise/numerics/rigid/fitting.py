"""Gauss-Newton steps of a rigid motion on one level, and how far they are to be trusted.

Inverse compositional (Baker and Matthews, 2004): with slopes of the template T and a small motion
W of it, ``image(M p) = gain T(W p) + offset``, then ``M <- M W^-1``. Sums over pixels are taken
axis by axis, so that no array of pixels by parameters is ever made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.rigid.levels import Level
from napari_framewise.numerics.rigid.motions import corner_points, step

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
_HUBER = 1.345
_SAMPLE = 50_000
# Side of the blocks whose scores are taken to be independent of each other, in pixels.
_BLOCK = 8
_FEWEST_PIXELS = 30
_PAD = 6


@dataclass(frozen=True, eq=False)
class Fixed:
    """A level of the template, with slopes.

    Attributes
    ----------
    level : Level
    slopes : list of (*shape) float64
    use : (*shape) bool
        Pixels that are compared.
    along : (k, d, d + 1)
        `motions.directions`, in pixels of the level.
    centre : (d,)
    around : (*shape) float64
        Mean of each pixel's neighbours, without its own noise: an instrument for the gain.
    """

    level: Level
    slopes: list[FloatArray]
    use: BoolArray
    along: FloatArray
    centre: FloatArray
    around: FloatArray


@dataclass(eq=False)
class Fit:
    """A motion on its way: from pixels of the template to those of the image, in the finest's."""

    matrix: FloatArray
    gain: float = 1.0
    offset: float = 0.0
    correlation: float = -1.0
    overlap: float = 0.0
    converged: bool = False
    history: list[tuple[float, float, float]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Compared:
    """Template and pulled-back image on one level.

    Attributes
    ----------
    pulled : (*shape)
        The image at ``M p``.
    both : (*shape) bool
        Where the two are compared.
    residual, weight : (*shape)
        ``image(M p) - gain T(p) - offset``, 0 elsewhere; Huber's weights there.
    gain, offset, correlation, rmse, overlap : float
    """

    pulled: FloatArray
    both: BoolArray
    residual: FloatArray
    weight: FloatArray
    gain: float
    offset: float
    correlation: float
    rmse: float
    overlap: float


@dataclass(frozen=True)
class Rules:
    """How to compare: loss, free brightness, least overlap, iterations and tolerance in pixels."""

    robust: bool
    brightness: bool
    least_overlap: float
    iterations: int
    tolerance: float


def descend(
    fixed: Fixed, moving: Level, fit: Fit, rules: Rules, order: Literal[1, 3]
) -> Compared | None:
    """Steps on one level, in place; None where too little of the template lies in the image."""
    tolerance = rules.tolerance * max(fixed.level.step)
    corners = corner_points(fixed.level.values.shape)
    coefficients = moving.values
    if order > 1:
        # Past the border a ramp goes on: a mirror bends the spline on the last pixels.
        further = [(min(_PAD, length - 1),) * 2 for length in moving.values.shape]
        padded = np.pad(moving.values, further, mode="reflect", reflect_type="odd")
        coefficients = np.asarray(ndimage.spline_filter(padded, order, mode="mirror"))
    hessian, known_overlap = np.empty((0, 0)), -1.0
    length, last = np.inf, np.inf
    fit.converged = False
    compared = compare(fixed, moving, coefficients, fit, rules, order)
    for _ in range(rules.iterations):
        if compared is None:
            return None
        if abs(compared.overlap - known_overlap) > 0.05 * known_overlap or known_overlap < 0:
            hessian = _hessian(fixed, compared.weight)
            known_overlap = compared.overlap
        scores = _scores(fixed, compared.weight * compared.residual)
        parameters = solved(hessian, scores)
        if parameters is None:
            return compared
        parameters /= compared.gain if abs(compared.gain) > 1e-3 else 1.0
        moved = np.einsum("kij,k->ij", fixed.along, parameters)
        away = (corners - fixed.centre) @ moved[:, :-1].T + moved[:, -1]
        length = float(np.sqrt(((away * fixed.level.step) ** 2).sum(1).mean()))
        most = 2.0 * max(fixed.level.step)
        if length > most:
            parameters *= most / length
        # Steps that no longer shrink go to and fro: half of each.
        if length > 0.9 * last:
            parameters *= 0.5
        last = length
        back = step(-parameters, fixed.along, fixed.centre)
        fit.matrix = fit.matrix @ _on_finest(back, fixed.level.step)
        fit.history.append((float(max(fixed.level.step)), compared.rmse, length))
        compared = compare(fixed, moving, coefficients, fit, rules, order)
        if length < tolerance:
            fit.converged = compared is not None
            break
    return compared


def compare(
    fixed: Fixed,
    moving: Level,
    coefficients: FloatArray,
    fit: Fit,
    rules: Rules,
    order: Literal[1, 3],
) -> Compared | None:
    """Pull the image back and compare; gain, offset, correlation and overlap go into the fit."""
    matrix = on_level(fit.matrix, fixed.level.step, moving.step)
    shape = fixed.level.values.shape
    pulled = pulled_back(coefficients, _padded(matrix, coefficients, moving), shape, order)
    both = fixed.use & inside(matrix, shape, moving.values.shape)
    if not moving.valid.all():
        share = pulled_back(moving.valid.astype(np.float64), matrix, shape, 1)
        both &= share > 0.99
    count = int(both.sum())
    fit.overlap = count / max(int(fixed.use.sum()), 1)
    if fit.overlap < rules.least_overlap or count < _FEWEST_PIXELS:
        return None
    weight = both.astype(np.float64)
    template = fixed.level.values
    gain, offset = fit.gain, fit.offset
    for _ in range(2 if rules.robust else 1):
        gain, offset, fit.correlation = _brightness(fixed, pulled, weight, rules)
        residual = np.where(both, pulled - gain * template - offset, 0.0)
        if rules.robust:
            every = max(1, count // _SAMPLE)
            limit = _HUBER * 1.4826 * float(np.median(np.abs(residual[both][::every])))
            large = np.abs(residual)
            weight = np.where(
                both, np.where(large > limit, limit / np.maximum(large, 1e-300), 1), 0
            )
    fit.gain, fit.offset = gain, offset
    rmse = float(np.sqrt((residual**2).sum() / count))
    return Compared(
        pulled, both, residual, weight, gain, offset, fit.correlation, rmse, fit.overlap
    )


def covariance(fixed: Fixed, compared: Compared) -> FloatArray:
    """Of the parameters, counted from the template's centre: (k, k); NaN where it can't be told.

    A sandwich. The slopes of template and image meet in its bread, so that noise of one meets no
    noise of the other; the filling is the scores' own spread, summed over blocks of 8 pixels a
    side, so that noise may grow with the signal and hang together over some pixels.
    """
    k = len(fixed.along)
    # Of Huber's loss only what is below its limit goes along with a motion.
    share = float((compared.weight >= 1).sum()) / max(int(compared.both.sum()), 1)
    weight = compared.both * share
    others = [_steep(compared.pulled, axis) for axis in range(len(fixed.centre))]
    bread = np.zeros((k, k))
    for first, one in enumerate(fixed.slopes):
        for second, two in enumerate(others):
            moments = _moments(weight * one * two, fixed.centre, 2)
            bread += np.einsum(
                "kb,le,be->kl", fixed.along[:, first], fixed.along[:, second], moments
            )
    blocks = _block_scores(fixed, compared.weight * compared.residual)
    filling = blocks.T @ blocks * len(blocks) / max(len(blocks) - k, 1)
    if np.linalg.cond(bread) > 1e12 or len(blocks) <= 2 * k:
        return np.full((k, k), np.nan)
    half = np.linalg.solve(bread, filling)
    return np.asarray(np.linalg.solve(bread, half.T))


def pulled_back(
    coefficients: FloatArray, matrix: FloatArray, shape: tuple[int, ...], order: Literal[1, 3]
) -> FloatArray:
    """A spline at ``M p`` for every pixel p of a grid."""
    d = len(shape)
    return np.asarray(
        ndimage.affine_transform(
            coefficients,
            matrix[:d, :d],
            matrix[:d, d],
            shape,
            order=order,
            mode="mirror",
            prefilter=False,
        )
    )


def _padded(matrix: FloatArray, coefficients: FloatArray, moving: Level) -> FloatArray:
    """A matrix to the pixels of a spline that reaches past the image."""
    found = matrix.copy()
    found[:-1, -1] += (np.array(coefficients.shape) - np.array(moving.values.shape)) // 2
    return found


def inside(matrix: FloatArray, shape: tuple[int, ...], target: tuple[int, ...]) -> BoolArray:
    """Pixels of a grid that lie within another where a matrix leads them.

    Parameters
    ----------
    matrix : (d + 1, d + 1)
        From pixels of the grid to those of the other.
    shape, target : tuple of int
        Of the grid and of the other.

    Examples
    --------
    >>> matrix = np.eye(3)
    >>> matrix[1, 2] = 1.5
    >>> inside(matrix, (1, 4), (1, 4)).tolist()
    [[True, True, False, False]]
    """
    d = len(shape)
    kept = np.ones(shape, bool)
    for axis, length in enumerate(target):
        at = np.full((1,) * d, matrix[axis, d])
        for other, count in enumerate(shape):
            line = matrix[axis, other] * np.arange(count)
            at = at + line.reshape([-1 if n == other else 1 for n in range(d)])
        kept &= (at >= -1e-9) & (at <= length - 1 + 1e-9)
    return kept


def solved(hessian: FloatArray, scores: FloatArray) -> FloatArray | None:
    """Parameters of a step; None where a direction has no texture."""
    size = np.sqrt(np.maximum(np.diag(hessian), 0.0))
    if not (size > 0).all():
        return None
    scaled = hessian / np.outer(size, size)
    if np.linalg.cond(scaled) > 1e8:
        return None
    return np.asarray(np.linalg.solve(scaled, scores / size) / size)


def _brightness(
    fixed: Fixed, pulled: FloatArray, weight: FloatArray, rules: Rules
) -> tuple[float, float, float]:
    """Gain, offset and correlation; the gain by the template's neighbours, free of its noise."""
    template, total = fixed.level.values, float(weight.sum())
    here, there = float((weight * template).sum()) / total, float((weight * pulled).sum()) / total
    one, two = weight * (template - here), pulled - there
    own, other = float((one * (template - here)).sum()), float((weight * two**2).sum())
    shared = float((one * two).sum())
    correlation = shared / np.sqrt(own * other) if own > 0 and other > 0 else 0.0
    if not rules.brightness or own <= 0:
        return 1.0, 0.0, float(correlation)
    across, along = float((weight * fixed.around * two).sum()), float((one * fixed.around).sum())
    gain = across / along if along > 0.05 * own else shared / own
    # A gain near 0, or below, would turn the steps around.
    gain = max(gain, 0.05 * float(np.sqrt(other / own)))
    return float(gain), float(there - gain * here), float(correlation)


def _hessian(fixed: Fixed, weight: FloatArray) -> FloatArray:
    k, d = len(fixed.along), len(fixed.centre)
    found = np.zeros((k, k))
    for first in range(d):
        for second in range(first, d):
            moments = _moments(weight * fixed.slopes[first] * fixed.slopes[second], fixed.centre, 2)
            part = np.einsum("kb,le,be->kl", fixed.along[:, first], fixed.along[:, second], moments)
            found += part if first == second else part + part.T
    return found


def _scores(fixed: Fixed, values: FloatArray) -> FloatArray:
    found = np.zeros(len(fixed.along))
    for axis, slope in enumerate(fixed.slopes):
        found += fixed.along[:, axis] @ _moments(values * slope, fixed.centre, 1)
    return found


def _moments(values: FloatArray, centre: FloatArray, degree: int) -> FloatArray:
    """Sums of values times coordinates from the centre, and one: (d + 1,), or in pairs."""
    d = values.ndim
    powers = 2 if degree == 1 else 3
    sums = values
    for axis in range(d - 1, -1, -1):
        q = np.arange(values.shape[axis]) - centre[axis]
        # The axis that is summed is the last; the powers so far stand behind the grid.
        moved = np.moveaxis(sums, axis, -1)
        parts = [moved.sum(axis=-1)]
        for _ in range(1, powers):
            moved = moved * q
            parts.append(moved.sum(axis=-1))
        sums = np.stack(parts, axis=-1)
    # Powers stand in the order in which axes were summed: the last axis first.
    sums = np.transpose(sums, range(d - 1, -1, -1))
    basis = [*np.eye(d, dtype=int), np.zeros(d, int)]
    if degree == 1:
        return np.array([sums[tuple(each)] for each in basis])
    return np.array([[sums[tuple(one + two)] for two in basis] for one in basis])


def _block_scores(fixed: Fixed, values: FloatArray) -> FloatArray:
    """Scores of blocks of pixels, (blocks, k), without those where nothing is compared."""
    shape, d = values.shape, values.ndim
    edges = [np.arange(0, length, _BLOCK) for length in shape]
    found = np.zeros((*(len(each) for each in edges), len(fixed.along)))
    coordinates = [
        (np.arange(length) - fixed.centre[axis]).reshape([-1 if n == axis else 1 for n in range(d)])
        for axis, length in enumerate(shape)
    ]
    turning = np.abs(fixed.along[:, :, :d]).sum() > 0
    for axis, slope in enumerate(fixed.slopes):
        product = values * slope
        found += _in_blocks(product, edges)[..., None] * fixed.along[:, axis, d]
        if not turning:
            continue
        for other in range(d):
            if np.any(fixed.along[:, axis, other]):
                part = _in_blocks(product * coordinates[other], edges)
                found += part[..., None] * fixed.along[:, axis, other]
    flat = found.reshape(-1, len(fixed.along))
    return np.asarray(flat[np.abs(flat).sum(axis=1) > 0])


def _in_blocks(values: FloatArray, edges: list[NDArray[np.int64]]) -> FloatArray:
    for axis, each in enumerate(edges):
        values = np.asarray(np.add.reduceat(values, each, axis=axis))
    return values


def _steep(values: FloatArray, axis: int) -> FloatArray:
    """Slope by differences of fourth order, which loses next to nothing of what is resolved."""
    if values.shape[axis] < 2:
        return np.zeros_like(values)
    taps = np.array([1.0, -8.0, 0.0, 8.0, -1.0]) / 12
    return np.asarray(ndimage.correlate1d(values, taps, axis=axis, mode="nearest"))


def _on_finest(matrix: FloatArray, steps: tuple[int, ...]) -> FloatArray:
    """A matrix between pixels of a level as one between pixels of the finest."""
    size = np.array([*steps, 1.0])
    return np.asarray(matrix * size[:, None] / size)


def on_level(matrix: FloatArray, steps: tuple[int, ...], there: tuple[int, ...]) -> FloatArray:
    """A matrix between pixels of the finest, from pixels of one level to those of another."""
    return np.asarray(matrix / np.array([*there, 1.0])[:, None] * np.array([*steps, 1.0]))
