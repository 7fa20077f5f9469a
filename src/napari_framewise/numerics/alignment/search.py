"""Coarse to fine: from the places that correlation finds to the one transform that fits best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.alignment import levels
from napari_framewise.numerics.alignment.descent import Descent, descend, motion_of_points
from napari_framewise.numerics.alignment.kernels import COUNT, LOSSES, SQUARES, WEIGHT
from napari_framewise.numerics.alignment.levels import LEAST_PIXELS, Moving, Planes, noise_left
from napari_framewise.numerics.alignment.result import Alignment, Status, no_alignment
from napari_framewise.numerics.alignment.rivals import Verdict, second_look
from napari_framewise.numerics.alignment.starts import (
    Places,
    deformations,
    deformed,
    further_deformations,
    turns,
)
from napari_framewise.numerics.alignment.state import Candidate
from napari_framewise.numerics.alignment.template import Template
from napari_framewise.numerics.alignment.trust import Trust, trust_of
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
# Stated errors in pixels from which on an answer is doubted; and refused, where no other start
# leads to a better one.
_CERTAIN, _LOOSE = 0.1, 0.3
# Times the noise that the residual is where noise alone does not explain it.
_UNEXPLAINED = 1.4
# Share of the template that must lie in the image for what is left of it to tell anything.
_MOSTLY = 0.6
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
    planes : Planes
        The image.
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
    planes: Planes
    moving: tuple[Moving, ...]
    pyramid: tuple[Level, ...]
    unit: float
    mean: FloatArray
    spread: FloatArray

    def run(self, start: FloatArray | None) -> Alignment:
        """Align, from a given matrix or from where the template lies in the image's middle."""
        settings = self.template.settings
        into = levels.to_unit(self.template.shape, self.unit)
        away = levels.to_unit(self.planes.shape, self.unit)
        given = np.eye(3) if start is None else away @ start @ inverse(into)
        ends = inverse(away), into
        coarsest = len(self.template.fixed) - 1
        fits = [self._fit(nearest(given, settings.motion))]
        if settings.start == "given":
            self._descend_all(fits, coarsest)
            return self._result(self._refined(fits, given, _KEPT), *ends)[1]
        places = self._places(coarsest)
        turned = turns(settings.rotations)
        fits += self._at(places.best(turned, _PLACES), 1 if len(turned) == 1 else 3)
        self._descend_all(fits, coarsest)
        if fits[0].correlation < _ALIKE:
            more = self._at(places.best(deformations(settings.motion), _PLACES), 3)
            self._descend_all(more, coarsest)
            fits = sorted([*fits, *more], key=lambda each: -each.score)
        fit, found = self._result(self._refined(fits, given, _KEPT), *ends)
        further = further_deformations(settings.motion)
        for near in (True, False):
            if not self._doubted(fit, found):
                break
            starts = places.best_near(given, further, 2) if near else places.best(further, 2)
            fits = self._at(starts, 3)
            self._descend_all(fits, coarsest)
            rival = self._refined(self._apart(fits), given, 4 * _KEPT)
            if rival.score > fit.score:
                fit, found = self._result(rival, *ends)
        # Of a scene that is much like itself, parts that differ fit each other by halves: what is
        # left of them is no noise, and holds the place but loosely.
        loose = found.found and found.motion_error > _LOOSE
        if loose and self._beyond_noise(fit) > _UNEXPLAINED:
            n_parameters = len(generators(settings.motion))
            return no_alignment(settings.motion, Status.AMBIGUOUS, n_parameters, found.history)
        return found

    def _apart(self, fits: list[Candidate]) -> list[Candidate]:
        """The best fit of each place: many starts end where others did."""
        step = float(self.template.fixed[-1].grid[1])
        ends = mapped(levels.to_unit(self.template.shape, self.unit), corners(self.template.shape))
        found: list[Candidate] = []
        for fit in fits:
            away = (motion_of_points(fit.matrix, other.matrix, ends) for other in found)
            if fit.status <= 1 and all(each > step for each in away):
                found.append(fit)
        return found

    def _refined(self, fits: list[Candidate], given: FloatArray, kept: int) -> Candidate:
        """The best of the fits on the coarsest level, brought to the finest."""
        for level in range(len(self.template.fixed) - 2, -1, -1):
            fits = fits[: kept if level > 0 else 1]
            if level > 0:
                # Where the coarser levels went astray, what was given may still be near.
                fits.append(self._fit(nearest(given, self.template.settings.motion)))
            self._descend_all(fits, level)
        return fits[0]

    def _doubted(self, fit: Candidate, found: Alignment) -> bool:
        """Whether an answer is refused or uncertain, and more than noise is left of the images."""
        if found.status == Status.CONVERGED and found.motion_error < _CERTAIN:
            return False
        part = fit.sums[COUNT] < _MOSTLY * (self.template.fixed[0].weights > 0).sum()
        return bool(fit.status > 1 or part or self._beyond_noise(fit) > _UNEXPLAINED)

    def _beyond_noise(self, fit: Candidate) -> float:
        """Mean square of the residual over that of both images' noise."""
        template, settings = self.template, self.template.settings
        how = settings.smoothing, settings.robust
        own = noise_left(template.planes, template.mean, template.spread, *how)
        other = noise_left(self.planes, self.mean, self.spread, *how)
        noise = (float(fit.state[9]) * own) ** 2 + other**2
        return float(fit.sums[SQUARES] / fit.sums[WEIGHT]) / max(noise, 1e-12)

    def _places(self, level: int) -> Places:
        """A level of both images, to look for starts."""
        template, least = self.template, self.template.settings.least_overlap
        there = self.pyramid[level], self.moving[level]
        return Places(template.pyramid[level], there[0], template.fixed[level], there[1], least)

    def _at(self, starts: list[tuple[float, FloatArray]], times: int) -> list[Candidate]:
        """Fits that begin at the best of the starts."""
        return [self._fit(matrix) for _, matrix in starts[: times * _PLACES]]

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
        planes, mask = deformed(level, fixed.grid, normalised(back @ fit.matrix))
        least = self.template.settings.least_overlap
        place = (float(at[0]), float(at[1]))
        return second_look(planes, mask, there.planes, there.valid, place, least), grid[1::2]

    def _result(
        self, fit: Candidate, back: FloatArray, into: FloatArray
    ) -> tuple[Candidate, Alignment]:
        """The fit after a second look and its last steps, and what is said of it."""
        settings = self.template.settings
        n_parameters = len(generators(settings.motion))
        history = np.concatenate(fit.history) if fit.history else np.empty((0, 5))
        if fit.status > 1:
            status = Status.FLAT if fit.status == 2 else Status.LEFT
            return fit, no_alignment(settings.motion, status, n_parameters, history)
        clear = True
        if settings.start == "correlation":
            fit, clear = self._looked_at_again(fit)
            history = np.concatenate(fit.history)
            if fit.status > 1:
                return fit, no_alignment(settings.motion, Status.LEFT, n_parameters, history)
        trust: Trust = trust_of(self.template, self.moving, self.unit, fit)
        if trust.status is not None:
            return fit, no_alignment(settings.motion, trust.status, n_parameters, history)
        if not clear:
            return fit, no_alignment(settings.motion, Status.AMBIGUOUS, n_parameters, history)
        gains = fit.state[9] * self.spread / self.template.spread
        offsets = self.mean + self.spread * fit.state[10] - gains * self.template.mean
        spread = float(np.sqrt((self.spread**2).mean()))
        # The last equations may have arrived where the descent had not.
        enough = max(settings.tolerance, _SHORT * trust.motion_error)
        return fit, Alignment(
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
