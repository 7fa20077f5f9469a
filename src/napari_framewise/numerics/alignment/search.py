"""Coarse to fine: from the places that correlation finds to the one transform that fits best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.alignment import levels
from napari_framewise.numerics.alignment.descent import Descent, descend
from napari_framewise.numerics.alignment.kernels import LOSSES
from napari_framewise.numerics.alignment.levels import LEAST_PIXELS, Moving
from napari_framewise.numerics.alignment.result import Alignment, Status, no_alignment
from napari_framewise.numerics.alignment.rivals import Verdict, second_look
from napari_framewise.numerics.alignment.state import Candidate
from napari_framewise.numerics.alignment.template import Template
from napari_framewise.numerics.alignment.trust import Trust, trust_of
from napari_framewise.numerics.interpolation import sample, spline
from napari_framewise.numerics.overlap_correlation import Spectra, correlations, peaks
from napari_framewise.numerics.pyramid import Level
from napari_framewise.numerics.transforms import (
    MOTIONS,
    Motion,
    corners,
    generators,
    inverse,
    mapped,
    nearest,
    normalised,
)

FloatArray: TypeAlias = NDArray[np.float64]
_COARSE_TOLERANCE = 0.02
_PLACES = 4
# Below this correlation on the coarsest level more starts are worth their time.
_ALIKE = 0.95
_KEPT = 3
# Shortest side of the level that a second look is taken at.
_SIDE = 48
# Of a stated error, how much may be missing of the way for it to hold.
_SHORT = 0.1


@dataclass(eq=False)
class Search:
    """One image on its way onto a template.

    Attributes
    ----------
    template : Template
    shape : tuple of int
        Rows and columns of the image.
    moving : tuple of Moving
        Its levels, from the finest.
    pyramid : tuple of Level
        What they were made of.
    unit : float
        Pixels per unit.
    mean, spread : (channels,) float64
        Brightness that was taken out of the image.
    """

    template: Template
    shape: tuple[int, int]
    moving: tuple[Moving, ...]
    pyramid: tuple[Level, ...]
    unit: float
    mean: FloatArray
    spread: FloatArray

    def run(self, start: FloatArray | None) -> Alignment:
        """Align, from a given matrix or from where the template lies in the image's middle."""
        settings = self.template.settings
        into = levels.to_unit(self.template.shape, self.unit)
        away = levels.to_unit(self.shape, self.unit)
        given = np.eye(3) if start is None else away @ start @ inverse(into)
        coarsest = len(self.template.fixed) - 1
        fits = [self._fit(nearest(given, settings.motion))]
        if settings.start == "correlation":
            fits += self._places(_turns(settings.rotations))
        self._descend_all(fits, coarsest)
        if settings.start == "correlation" and fits[0].correlation < _ALIKE:
            more = self._places(_deformations(settings.motion))
            self._descend_all(more, coarsest)
            fits = sorted([*fits, *more], key=lambda each: -each.score)
        for level in range(coarsest - 1, -1, -1):
            fits = fits[: _KEPT if level > 0 else 1]
            if level > 0:
                # Where the coarser levels went astray, what was given may still be near.
                fits.append(self._fit(nearest(given, settings.motion)))
            self._descend_all(fits, level)
        return self._result(fits[0], inverse(away), into)

    def _fit(self, matrix: FloatArray) -> Candidate:
        """A fit that begins at a matrix, with the images' brightness as it is."""
        gains = self.template.spread / self.spread
        offsets = (self.template.mean - self.mean) / self.spread
        return Candidate.at(matrix, float(gains.mean()), float(offsets.mean()))

    def _descend_all(self, fits: list[Candidate], level: int) -> None:
        """Fit each on a level; the best comes first."""
        for fit in fits:
            for motion in self._families(level, len(self.template.fixed) - 1):
                self._descend(fit, level, motion)
        fits.sort(key=lambda each: -each.score)

    def _families(self, level: int, coarsest: int) -> list[Motion]:
        """Families to fit on a level, each from where the last one ended."""
        wanted = self.template.settings.motion
        if level == coarsest:
            first: list[Motion] = ["similarity", "affine", "homography"]
            last: Motion = "homography"
        else:
            first = ["homography"] if level < 2 else ["affine"]
            last = first[0]
        top = MOTIONS.index(wanted)
        limit = min(top, MOTIONS.index(last))
        chosen = [each for each in first if MOTIONS.index(each) < limit]
        return [*chosen, MOTIONS[limit]]

    def _descend(self, fit: Candidate, level: int, motion: Motion) -> None:
        settings = self.template.settings
        fixed, moving = self.template.fixed[level], self.moving[level]
        step = max(fixed.grid[1], fixed.grid[3])
        finest = level == 0
        tolerance = settings.tolerance / self.unit if finest else _COARSE_TOLERANCE * step
        history = np.zeros((settings.iterations, 4))
        count = float((fixed.weights > 0).sum())
        ends = mapped(levels.to_unit(self.template.shape, self.unit), corners(self.template.shape))
        how = Descent(
            generators=generators(motion),
            rigid=motion == "euclidean",
            perspective=motion == "homography",
            corners=ends,
            forward=settings.method == "forward",
            loss=LOSSES[settings.loss],
            brightness=settings.brightness,
            known=bool(fit.history),
            stiffness=fixed.stiffness,
            noise=fixed.noise,
            least_count=max(LEAST_PIXELS, settings.least_overlap * count),
            tolerance=tolerance,
        )
        status, iterations = descend(
            fixed.held, moving.sampled, how, fit.state, fit.hessian, fit.rhs, fit.sums, history
        )
        fit.status = int(status)
        rows = history[: int(iterations)]
        scale = float(np.sqrt((self.spread**2).mean()))
        fit.history.append(
            np.column_stack(
                [
                    np.full(len(rows), float(level)),
                    np.sqrt(np.maximum(rows[:, 0], 0)) * scale,
                    rows[:, 1] * self.unit,
                    rows[:, 2] * self.unit,
                    rows[:, 3],
                ]
            )
        )

    def _places(self, deformations: list[FloatArray]) -> list[Candidate]:
        """Fits that begin where the deformed template correlates best, on the coarsest level."""
        least = self.template.settings.least_overlap
        level, fixed, moving = self.template.pyramid[-1], self.template.fixed[-1], self.moving[-1]
        height, width = level.shape[0], level.shape[1]
        there = self.pyramid[-1]
        spectra = Spectra.of(there.planes, there.valid, (height, width))
        found: list[tuple[float, FloatArray]] = []
        for deformation in deformations:
            planes, mask = _deformed(level, fixed.grid, deformation)
            values, overlap = correlations(spectra, planes, mask, least)
            for row, column in peaks(values, overlap, _PLACES, max(1, min(height, width) // 8)):
                shift = np.array([row - height + 1, column - width + 1], float)
                origin = -fixed.grid[0::2] / fixed.grid[1::2] + shift
                move = np.eye(3)
                move[:2, 2] = moving.grid[0::2] + moving.grid[1::2] * origin
                score = np.arctanh(min(values[row, column], 0.999)) * np.sqrt(overlap[row, column])
                found.append((float(score), move @ deformation))
        found.sort(key=lambda each: -each[0])
        most = _PLACES if len(deformations) == 1 else 3 * _PLACES
        return [self._fit(matrix) for _, matrix in found[:most]]

    def _looked_at_again(self, fit: Candidate) -> tuple[Candidate, bool]:
        """The fit, or one from a better place; and whether its place stands out from all others."""
        for _ in range(2):
            verdict, steps = self._verdict(fit)
            if verdict.better is None:
                return fit, verdict.clear
            move = np.eye(3)
            move[:2, 2] = np.array(verdict.better) * steps
            fit = self._fit(nearest(move @ fit.matrix, self.template.settings.motion))
            for level in range(self._second_level(), -1, -1):
                self._descend_all([fit], level)
            if fit.status > 1:
                break
        return fit, False

    def _second_level(self) -> int:
        """The coarsest level that still shows texture."""
        fine = [min(each.shape) >= _SIDE for each in self.template.pyramid]
        return max([0, *(number for number, enough in enumerate(fine) if enough)])

    def _verdict(self, fit: Candidate) -> tuple[Verdict, FloatArray]:
        """A second look at where a fit lies, and the level's steps in units."""
        number = self._second_level()
        level, fixed = self.template.pyramid[number], self.template.fixed[number]
        centre = mapped(fit.matrix, [0.0, 0.0])
        there = self.pyramid[number]
        grid = self.moving[number].grid
        at = (centre - grid[0::2]) / grid[1::2] + fixed.grid[0::2] / fixed.grid[1::2]
        # A whole number of pixels is left between the two.
        back = np.eye(3)
        back[:2, 2] = (at - np.rint(at)) * grid[1::2] - centre
        at = np.rint(at)
        planes, mask = _deformed(level, fixed.grid, normalised(back @ fit.matrix))
        least = self.template.settings.least_overlap
        place = (float(at[0]), float(at[1]))
        return second_look(planes, mask, there.planes, there.valid, place, least), grid[1::2]

    def _result(self, fit: Candidate, back: FloatArray, into: FloatArray) -> Alignment:
        settings = self.template.settings
        n_parameters = len(generators(settings.motion))
        history = np.concatenate(fit.history) if fit.history else np.empty((0, 5))
        if fit.status > 1:
            status = Status.FLAT if fit.status == 2 else Status.LEFT
            return no_alignment(settings.motion, status, n_parameters, history)
        clear = True
        if settings.start == "correlation":
            fit, clear = self._looked_at_again(fit)
            history = np.concatenate(fit.history)
            if fit.status > 1:
                return no_alignment(settings.motion, Status.LEFT, n_parameters, history)
        trust: Trust = trust_of(self.template, self.moving, self.unit, fit)
        if trust.status is not None:
            return no_alignment(settings.motion, trust.status, n_parameters, history)
        if not clear:
            return no_alignment(settings.motion, Status.AMBIGUOUS, n_parameters, history)
        gains = fit.state[9] * self.spread / self.template.spread
        offsets = self.mean + self.spread * fit.state[10] - gains * self.template.mean
        spread = float(np.sqrt((self.spread**2).mean()))
        # The last equations may have arrived where the descent had not.
        enough = max(settings.tolerance, _SHORT * trust.motion_error)
        return Alignment(
            matrix=normalised(back @ fit.matrix @ into),
            motion=settings.motion,
            status=Status.SLOW if fit.status == 1 and not fit.left < enough else Status.CONVERGED,
            gain=float(gains.mean()),
            offset=float(offsets.mean()),
            correlation=fit.correlation,
            rmse=float(np.sqrt(fit.sums[3] / fit.sums[1])) * spread,
            overlap=trust.overlap,
            covariance=trust.covariance,
            motion_error=trust.motion_error,
            iterations=len(history),
            history=history,
        )


def _turns(largest: float) -> list[FloatArray]:
    """Turns to both sides up to an angle in degrees, about 12 degrees apart."""
    count = int(np.ceil(largest / 12))
    # Half a turn to both sides is the same.
    first = 1 if largest >= 180 else 0
    return [_turn(float(each)) for each in np.linspace(-largest, largest, 2 * count + 1)[first:]]


def _deformations(motion: Motion) -> list[FloatArray]:
    """Deformations within a family to start from where none of the plain starts fits well."""
    found: list[FloatArray] = []
    if motion != "translation":
        found += [_turn(angle) for angle in (-24.0, 24.0)]
    if motion not in ("translation", "euclidean"):
        found += [np.diag([scale, scale, 1.0]) for scale in (0.7, 1.4)]
    if motion in ("affine", "homography"):
        for angle in (0.0, 45.0, 90.0, 135.0):
            stretch = _turn(-angle) @ np.diag([1.35, 1 / 1.35, 1.0]) @ _turn(angle)
            found += [stretch, stretch @ np.diag([0.75, 0.75, 1.0])]
    if motion == "homography":
        for tilt in ((0.25, 0.0), (-0.25, 0.0), (0.0, 0.25), (0.0, -0.25)):
            matrix = np.eye(3)
            matrix[2, :2] = tilt
            found.append(matrix)
    return found


def _turn(degrees: float) -> FloatArray:
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def _deformed(
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
