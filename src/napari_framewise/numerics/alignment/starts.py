"""Where an alignment may start: where correlation finds a turned and stretched template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.alignment.levels import Fixed, Moving
from napari_framewise.numerics.interpolation import sample, spline
from napari_framewise.numerics.overlap_correlation import Spectra, correlations, peaks
from napari_framewise.numerics.pyramid import Level
from napari_framewise.numerics.transforms import Motion, inverse, mapped

FloatArray: TypeAlias = NDArray[np.float64]
# Largest turn in radians and logarithm of a scale or stretch of the further starts, and how many.
_TURN, _STRETCH, _TILT = 0.35, 0.35, 0.25
# Where nothing but turn and scale is free, from less than a half to more than double.
_SCALE = 0.8
_FURTHER = 64
# Share of the template's side by which a place that lies near may be off.
_NEAR = 0.3


@dataclass(frozen=True, eq=False)
class Places:
    """One level of a template and of an image, to be compared at every shift.

    Attributes
    ----------
    level, there : Level
        Of the template and of the image.
    fixed, moving : Fixed, Moving
        The same levels in unit coordinates.
    least : float
        Least overlap, as a share of the template's usable pixels.
    """

    level: Level
    there: Level
    fixed: Fixed
    moving: Moving
    least: float

    def best(self, deformations: list[FloatArray], each: int) -> list[tuple[float, FloatArray]]:
        """Matrices at which the deformed template correlates best, best first, with their scores.

        Up to `each` of every deformation.
        """
        shape = self.level.shape
        spectra = Spectra.of(self.there.planes, self.there.valid, (shape[0], shape[1]))
        return self._ranked(spectra, (0, 0), deformations, each)

    def best_near(
        self, given: FloatArray, deformations: list[FloatArray], each: int
    ) -> list[tuple[float, FloatArray]]:
        """The same for the given matrix deformed, not far from where it leads."""
        shape, grid = self.level.shape, self.fixed.grid
        centre = mapped(given, [0.0, 0.0])
        at = (centre - self.moving.grid[0::2]) / self.moving.grid[1::2]
        corner = at + grid[0::2] / grid[1::2]
        reach = _NEAR * np.array(shape)
        ends = np.stack([np.floor(corner - reach), np.ceil(corner + reach + shape) + 1])
        low, high = np.clip(ends.astype(int), 0, self.there.shape)
        if (high - low < 2).any():
            return []
        part = (slice(low[0], high[0]), slice(low[1], high[1]))
        valid = None if self.there.valid is None else self.there.valid[part]
        spectra = Spectra.of(self.there.planes[(slice(None), *part)], valid, (shape[0], shape[1]))
        rows, columns = (
            np.abs(np.arange(n + m - 1) - m + 1 + first - wanted) <= most
            for n, m, first, wanted, most in zip(
                spectra.shape, shape, low, corner, reach, strict=True
            )
        )
        back = np.eye(3)
        back[:2, 2] = -centre
        turned = [back @ given @ deformation for deformation in deformations]
        inside = np.logical_and.outer(rows, columns)
        return self._ranked(spectra, (int(low[0]), int(low[1])), turned, each, inside)

    def _ranked(
        self,
        spectra: Spectra,
        corner: tuple[int, int],
        deformations: list[FloatArray],
        each: int,
        near: NDArray[np.bool_] | None = None,
    ) -> list[tuple[float, FloatArray]]:
        height, width = self.level.shape[0], self.level.shape[1]
        grid, there = self.fixed.grid, self.moving.grid
        found: list[tuple[float, FloatArray]] = []
        for deformation in deformations:
            planes, mask = deformed(self.level, grid, deformation)
            values, overlap = correlations(spectra, planes, mask, self.least)
            if near is not None:
                values = np.where(near, values, np.nan)
            for row, column in peaks(values, overlap, each, max(1, min(height, width) // 8)):
                shift = np.array([row - height + 1, column - width + 1], float) + corner
                origin = -grid[0::2] / grid[1::2] + shift
                move = np.eye(3)
                move[:2, 2] = there[0::2] + there[1::2] * origin
                score = np.arctanh(min(values[row, column], 0.999)) * np.sqrt(overlap[row, column])
                found.append((float(score), move @ deformation))
        found.sort(key=lambda one: -one[0])
        return found


def turns(largest: float) -> list[FloatArray]:
    """Turns to both sides up to an angle in degrees, about 12 degrees apart."""
    count = int(np.ceil(largest / 12))
    # Half a turn to both sides is the same.
    first = 1 if largest >= 180 else 0
    return [turn(float(each)) for each in np.linspace(-largest, largest, 2 * count + 1)[first:]]


def deformations(motion: Motion) -> list[FloatArray]:
    """Deformations within a family to start from where none of the plain starts fits well."""
    found: list[FloatArray] = []
    if motion != "translation":
        found += [turn(angle) for angle in (-24.0, 24.0)]
    if motion not in ("translation", "euclidean"):
        found += [np.diag([scale, scale, 1.0]) for scale in (0.7, 1.4)]
    if motion in ("affine", "homography"):
        for angle in (0.0, 45.0, 90.0, 135.0):
            stretch = turn(-angle) @ np.diag([1.35, 1 / 1.35, 1.0]) @ turn(angle)
            found += [stretch, stretch @ np.diag([0.75, 0.75, 1.0])]
    if motion == "homography":
        for tilt in ((0.25, 0.0), (-0.25, 0.0), (0.0, 0.25), (0.0, -0.25)):
            matrix = np.eye(3)
            matrix[2, :2] = tilt
            found.append(matrix)
    return found


def further_deformations(motion: Motion) -> list[FloatArray]:
    """Many, spread evenly over turns, scales, stretches and tilts at once, within a family.

    By the additive recurrence of Roberts (2018), whose gaps shrink evenly in any dimension.
    """
    free = {"translation": 0, "euclidean": 1, "similarity": 2, "affine": 4, "homography": 6}[motion]
    if free == 0:
        return [np.eye(3)]
    golden = 2.0
    for _ in range(50):
        golden = (1 + golden) ** (1 / (free + 1))
    found = []
    for number in range(_FURTHER if free > 1 else _FURTHER // 4):
        unit = np.zeros(6)
        unit[:free] = 2 * ((0.5 + number * golden ** -np.arange(1.0, free + 1)) % 1) - 1
        angle, scale, along, across = (
            unit[0] * _TURN,
            *(unit[1:4] * (_SCALE if free == 2 else _STRETCH)),
        )
        powers, axes = np.linalg.eigh([[scale + along, across], [across, scale - along]])
        matrix = turn(float(np.degrees(angle)))
        matrix[:2, :2] = matrix[:2, :2] @ (axes * np.exp(powers)) @ axes.T
        matrix[2, :2] = unit[4:] * _TILT
        found.append(matrix)
    return found


def turn(degrees: float) -> FloatArray:
    """A turn about the origin, (3, 3)."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def deformed(
    level: Level, grid: FloatArray, deformation: FloatArray
) -> tuple[NDArray[Any], FloatArray]:
    """A level deformed about its centre, and where it holds data then."""
    mask = np.ones(level.shape) if level.valid is None else level.valid.astype(float)
    if np.array_equal(deformation, np.eye(3)):
        return level.planes, mask
    places = np.stack(np.meshgrid(*map(np.arange, level.shape), indexing="ij"), axis=-1)
    back = mapped(inverse(deformation), grid[0::2] + grid[1::2] * places)
    back = np.nan_to_num((back - grid[0::2]) / grid[1::2], nan=-1.0)
    image = spline(level.planes, order=1, valid=level.valid)
    values, _, inside = sample(image, np.moveaxis(back, -1, 0))
    return values, inside.astype(float)
