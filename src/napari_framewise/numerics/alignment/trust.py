"""How far to trust an alignment: covariance, texture against noise, likeness against chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.alignment.kernels import residuals
from napari_framewise.numerics.alignment.levels import Fixed, Moving, to_unit
from napari_framewise.numerics.alignment.polish import Equations, polished
from napari_framewise.numerics.alignment.result import Status
from napari_framewise.numerics.alignment.state import Candidate
from napari_framewise.numerics.alignment.template import Template
from napari_framewise.numerics.transforms import Motion, corners, generators, mapped

FloatArray: TypeAlias = NDArray[np.float64]
_SINGULAR = 1e-7
# Standard deviations beyond chance that slopes must agree by, and what is enough for few pixels.
_MARGIN = 5.0
_CERTAIN = 0.15
_LARGEST_ERROR = 1.0
# Standard deviations above chance; neighbouring slopes are correlated over about four pixels.
_CHANCE = 6.0
_ALIKE_PIXELS = 4.0
_SIDE = 48
# Noise of the slopes makes the equations themselves uncertain: with so many unknowns, and nothing
# but noise, the variance is taken twice. Weighed on the moon, the clock and the camera man.
_UNKNOWNS = 8.0


@dataclass(frozen=True, eq=False)
class Trust:
    """Errors of an alignment, and the status that refuses it."""

    status: Status | None
    covariance: FloatArray
    motion_error: float
    overlap: float


def trust_of(template: Template, moving: tuple[Moving, ...], unit: float, fit: Candidate) -> Trust:
    """Take the last steps of a fit, without bias, and tell the errors of where they end."""
    settings, fixed = template.settings, template.fixed[0]
    free = generators(settings.motion)
    nothing = np.full((len(free), len(free)), np.nan)
    ends = mapped(to_unit(template.shape, unit), corners(template.shape))
    equations = polished(settings, fixed, moving[0], ends, unit, fit)
    overlap = float(fit.sums[0] / (fixed.weights > 0).sum())
    if equations is None:
        return Trust(Status.FLAT, nothing, np.nan, overlap)
    if not (_slopes_agree(equations, fixed) or _likeness(template, moving, fit) > 0):
        return Trust(Status.UNLIKE, nothing, np.nan, overlap)
    if not _texture(equations, fixed):
        return Trust(Status.FLAT, nothing, np.nan, overlap)
    covariance = equations.covariance[: len(free), : len(free)]
    error = _motion_error(covariance, free, template.shape, unit)
    if not error < _LARGEST_ERROR:
        return Trust(Status.FLAT, nothing, np.nan, overlap)
    larger = 1 + len(free) / _UNKNOWNS * (1 - fit.correlation**2)
    covariance, error = covariance * larger, error * float(np.sqrt(larger))
    sizes = _in_pixels(settings.motion, unit)
    return Trust(None, covariance * np.outer(sizes, sizes), error, overlap)


def _texture(equations: Equations, fixed: Fixed) -> bool:
    """Whether both images' slopes agree along every direction of the unknowns beyond chance.

    Where there is only noise along a direction, slopes of template and image have nothing to do
    with each other, however large they are.
    """
    count = equations.motions
    own, shared = _left_to(equations.own, count), _left_to(equations.shared, count)
    size = 1 / np.sqrt(np.maximum(np.diag(own), 1e-300))
    own, shared = own * np.outer(size, size), shared * np.outer(size, size)
    powers, axes = np.linalg.eigh(own)
    if not powers[0] > _SINGULAR * powers[-1]:
        return False
    whitened = axes / np.sqrt(powers)
    agreeing = np.linalg.eigvalsh(whitened.T @ (shared + shared.T) / 2 @ whitened)[0]
    needed = min(_MARGIN * np.sqrt(fixed.slope_pixels / equations.count), _CERTAIN)
    return bool(agreeing > needed * np.sqrt(max(equations.slopes_ratio, 1e-300)))


def _slopes_agree(equations: Equations, fixed: Fixed) -> bool:
    """Whether slopes, smoothed by a pixel, are correlated beyond chance, by Fisher's z."""
    chance = np.sqrt(fixed.slope_pixels / (2 * equations.count))
    return bool(np.arctanh(np.clip(equations.likeness, -0.999999, 0.999999)) > _CHANCE * chance)


def _left_to(system: FloatArray, count: int) -> FloatArray:
    """What a system holds for its first unknowns once the others are free."""
    if count == len(system):
        return system
    try:
        others = np.linalg.solve(system[count:, count:], system[count:, :count])
    except np.linalg.LinAlgError:
        return np.zeros((count, count))
    return np.asarray(system[:count, :count] - system[:count, count:] @ others)


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


def _likeness(template: Template, moving: tuple[Moving, ...], fit: Candidate) -> float:
    """Correlation of the slopes of template and image, minus what chance would give.

    Smooth images resemble each other by chance, brightness on one side and darkness on the other;
    their slopes do not.
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
        *(fixed.held, image.sampled, fit.place, 1, left),
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
