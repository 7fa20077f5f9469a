"""How far to trust an alignment: covariance, texture against noise, likeness against chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.alignment.kernels import normal_equations, residuals
from napari_framewise.numerics.alignment.levels import Fixed, Moving, noise_of_slopes
from napari_framewise.numerics.alignment.result import Status
from napari_framewise.numerics.alignment.state import Fit
from napari_framewise.numerics.alignment.template import Template
from napari_framewise.numerics.transforms import Motion, generators

FloatArray: TypeAlias = NDArray[np.float64]
_SINGULAR = 1e-7
# Part of the noise's share that its estimate may be wrong by; and over how many pixels smoothed
# slopes are alike, which the chance in their sum depends on.
_MARGIN = 0.25
_SLOPE_PIXELS = 12.0
_LARGEST_ERROR = 1.0
# Standard deviations above chance; neighbouring slopes are correlated over about four pixels.
_CHANCE = 6.0
_ALIKE_PIXELS = 4.0
_SIDE = 48


@dataclass(frozen=True, eq=False)
class Trust:
    """Errors of an alignment, and the status that refuses it."""

    status: Status | None
    covariance: FloatArray
    motion_error: float
    overlap: float


def trust_of(template: Template, moving: tuple[Moving, ...], unit: float, fit: Fit) -> Trust:
    """Errors at the end of a fit, by the slopes of the template whatever the method was."""
    settings, fixed, image = template.settings, template.fixed[0], moving[0]
    hessian, rhs, sums = fit.hessian, fit.rhs, fit.sums
    if settings.method == "forward":
        hessian, rhs, sums = np.zeros((10, 10)), np.zeros(10), np.zeros(11)
        normal_equations(
            *(fixed.planes, fixed.weights, fixed.slopes, fixed.grid),
            *(image.planes, image.cubic, image.usable, image.limits, image.grid),
            *(np.ascontiguousarray(fit.matrix), fit.state[9], fit.state[10]),
            *(0, 1.0, False, settings.motion == "homography", hessian, rhs, sums),
        )
    free = generators(settings.motion)
    directions = np.zeros((len(free) + (2 if settings.brightness else 0), 10))
    directions[: len(free), :8] = free
    if settings.brightness:
        directions[-2, 8] = directions[-1, 9] = 1.0
    system = directions @ hessian @ directions.T
    count = sums[0] * len(fixed.planes)
    variance = sums[5] / max(sums[4], 1e-300) * count / max(count - len(system), 1.0)
    gain = fit.state[9]
    noise = min(fixed.noise**2, variance / max(gain**2, 1e-12))
    share = hessian[9, 9] / max(float(fixed.weights.sum()) * len(fixed.planes), 1e-300)
    noise_part = np.zeros_like(system)
    noise_part[: len(free), : len(free)] = free @ _noise_of_slopes(fixed, noise * share) @ free.T
    if settings.brightness:
        noise_part[-2, -2] = noise * hessian[9, 9]
    texture = system - noise_part
    overlap = float(sums[0] / (fixed.weights > 0).sum())
    nothing = np.full((len(free), len(free)), np.nan)
    margin = _MARGIN + 5 * np.sqrt(2 * _SLOPE_PIXELS / max(count, 1.0))
    known = np.linalg.eigvalsh(texture - margin * noise_part)
    if not known[0] > _SINGULAR * known[-1]:
        return Trust(Status.FLAT, nothing, np.nan, overlap)
    # Errors in variables: the noise of the slopes adds to the system, not to what it tells.
    half = np.linalg.solve(texture, system)
    spread = np.linalg.solve(texture, half.T) * variance / (gain * fixed.stiffness) ** 2
    covariance = spread[: len(free), : len(free)]
    error = _motion_error(covariance, free, template.shape, unit)
    if not error < _LARGEST_ERROR:
        return Trust(Status.FLAT, nothing, np.nan, overlap)
    if not _likeness(template, moving, fit) > 0:
        return Trust(Status.UNLIKE, nothing, np.nan, overlap)
    sizes = _in_pixels(settings.motion, unit)
    return Trust(None, covariance * np.outer(sizes, sizes), error, overlap)


def _noise_of_slopes(fixed: Fixed, variance: float) -> FloatArray:
    """What white noise of a template adds to the Hessian of the eight entries."""
    y = fixed.grid[0] + fixed.grid[1] * np.arange(fixed.weights.shape[0])
    x = fixed.grid[2] + fixed.grid[3] * np.arange(fixed.weights.shape[1])
    # Moments of the weights, up to y^4 x^4.
    moments = (
        np.vander(y, 5, increasing=True).T
        @ fixed.weights.astype(float)
        @ np.vander(x, 5, increasing=True)
    )
    power = variance * noise_of_slopes() * len(fixed.planes)
    down, right = power / fixed.grid[1] ** 2, power / fixed.grid[3] ** 2
    # Covariance of the fields u, v and -(u y + v x) as terms (factor, power of y, power of x).
    covariance = {
        (0, 0): [(down, 0, 0)],
        (1, 1): [(right, 0, 0)],
        (2, 0): [(-down, 1, 0)],
        (2, 1): [(-right, 0, 1)],
        (2, 2): [(down, 2, 0), (right, 0, 2)],
    }
    basis = ((1, 0), (0, 1), (0, 0))
    result = np.zeros((9, 9))
    for (first, second), terms in covariance.items():
        for p, (y_p, x_p) in enumerate(basis):
            for q, (y_q, x_q) in enumerate(basis):
                value = sum(
                    factor * moments[y_p + y_q + rows, x_p + x_q + columns]
                    for factor, rows, columns in terms
                )
                result[3 * first + p, 3 * second + q] = value
                result[3 * second + q, 3 * first + p] = value
    return result[:8, :8]


def _motion_error(
    covariance: FloatArray, free: FloatArray, shape: tuple[int, int], unit: float
) -> float:
    """Root mean square standard error of the template's corners, in pixels."""
    rows, columns = shape
    total = 0.0
    for y in (-1.0, 1.0):
        for x in (-1.0, 1.0):
            p = np.array([y * (rows - 1), x * (columns - 1)]) / 2 / unit
            point = np.array([p[0], p[1], 1.0])
            moves = np.zeros((2, 8))
            moves[0, :3], moves[1, 3:6] = point, point
            moves[:, 6:] = -np.outer(p, p)
            moves = moves @ free.T
            total += float(np.trace(moves @ covariance @ moves.T))
    return float(np.sqrt(max(total, 0.0) / 4)) * unit


def _in_pixels(motion: Motion, unit: float) -> FloatArray:
    """Size of each parameter, in pixels of the template, per unit of it."""
    free = generators(motion)
    sizes = np.ones(len(free))
    sizes[(free[:, 2] != 0) | (free[:, 5] != 0)] = unit
    sizes[(free[:, 6] != 0) | (free[:, 7] != 0)] = 1 / unit
    return sizes


def _likeness(template: Template, moving: tuple[Moving, ...], fit: Fit) -> float:
    """Correlation of the slopes of template and image, minus what chance would give.

    Smooth images are alike by chance, brightness on one side and darkness on the other; their
    slopes are not.
    """
    levels = [
        number
        for number, each in enumerate(template.fixed)
        if number == 0 or min(each.weights.shape) >= _SIDE
    ]
    level = levels[-1]
    fixed, image = template.fixed[level], moving[level]
    left = np.empty(fixed.planes.shape)
    gain, offset = float(fit.state[9]), float(fit.state[10])
    residuals(
        *(fixed.planes, fixed.weights, fixed.grid),
        *(image.planes, image.cubic, image.usable, image.limits, image.grid),
        *(np.ascontiguousarray(fit.matrix), gain, offset, 1, left),
    )
    warped = left + gain * fixed.planes + offset
    both = first = second = 0.0
    count = 0
    for axis in (1, 2):
        one, two = np.diff(fixed.planes, axis=axis), np.diff(warped, axis=axis)
        known = np.isfinite(two)
        count += int(known.sum())
        one, two = one[known].astype(float), two[known].astype(float)
        both += float(one @ two)
        first += float(one @ one)
        second += float(two @ two)
    if not (count and first > 0 and second > 0):
        return -1.0
    chance = _CHANCE / np.sqrt(count / 2 / _ALIKE_PIXELS)
    return float(both / np.sqrt(first * second) - chance)
