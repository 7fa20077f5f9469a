"""The last steps of an alignment, which leave no bias, and the covariance of where they end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from napari_framewise.numerics.alignment.descent import (
    composed_with_step,
    motion_of_points,
    typical_size,
)
from napari_framewise.numerics.alignment.instruments import (
    estimating_equations,
    spread_of_equations,
)
from napari_framewise.numerics.alignment.kernels import (
    GAIN,
    LINEAR,
    LOSSES,
    OFFSET,
    Place,
    normal_equations,
    residuals,
)
from napari_framewise.numerics.alignment.levels import Fixed, Moving
from napari_framewise.numerics.alignment.state import Candidate
from napari_framewise.numerics.alignment.template import Settings
from napari_framewise.numerics.derivatives import smooth
from napari_framewise.numerics.transforms import generators

FloatArray: TypeAlias = NDArray[np.float64]
_STEPS = 5
# Least distance of the gain's instrument, in pixels, and how far noise may hang together.
_NEAREST, _FARTHEST = 2, 40
_STRONG = 0.5
_LEAST_POWER = 0.02
# Correlation below which noise is taken to be independent.
_APART = 0.1
_BRIGHTNESS_SIGMA = 2.0
_LEAST_VARIANCE = 0.1
# Of an image's spread: residuals that are smaller are errors of interpolation, and all count.
_LEAST_SCALE = 1e-3
# Products that the covariance may take, and rows and columns that tell the noise's correlation.
_PRODUCTS = 2.0e7
_WINDOW = 256


@dataclass(frozen=True, eq=False)
class Equations:
    """The estimating equations where an alignment ended.

    Attributes
    ----------
    directions : (k, 10) float64
        The unknowns within the ten entries: the family's, then gain and offset where they are free.
    system : (k, k) float64
        How the equations answer to a change; rows are instruments.
    spread : (k, k) float64
        Covariance of the equations.
    own, shared : (k, k) float64
        Products of the template's slopes with themselves, and with those of the image.
    slopes_ratio, likeness : float
        Mean square of the image's slopes over that of the template's, and their correlation.
    count : float
        Pixels, times channels.
    """

    directions: FloatArray
    system: FloatArray
    spread: FloatArray
    own: FloatArray
    shared: FloatArray
    slopes_ratio: float
    likeness: float
    count: float

    @property
    def motions(self) -> int:
        """Unknowns that move the template."""
        return int((self.directions[:, :GAIN] != 0).any(axis=1).sum())

    @property
    def covariance(self) -> FloatArray:
        """Covariance of the unknowns: A^-1 B A^-T."""
        half = np.linalg.solve(self.system, self.spread)
        return np.linalg.solve(self.system, half.T)


def polished(
    settings: Settings,
    fixed: Fixed,
    moving: Moving,
    corners: FloatArray,
    unit: float,
    fit: Candidate,
) -> Equations | None:
    """Solve the estimating equations from where a descent ended; `fit` is moved there.

    Parameters
    ----------
    settings : Settings
    fixed, moving : Fixed, Moving
        The finest levels.
    corners : (n, 2) float64
        Points that steps are measured at, in units.
    unit : float
        Pixels per unit.
    fit : Candidate
        Where the descent ended. It stays there where the equations lead away by more than a pixel.

    Returns
    -------
    Equations or None
        None where they have no solution.
    """
    directions = _directions(settings)
    state = _Polish(settings, fixed, moving, directions)
    place, apart = fit.place, _NEAREST
    instrument = _instrument(fixed, apart)
    moved = 0.0
    for number in range(_STEPS):
        if not state.evaluate(place, instrument):
            return None
        if number == 1:
            apart = max(_NEAREST, _reach_of(state.correlation(_FARTHEST)))
            away = apart
            while away > _NEAREST and not _strong(_instrument(fixed, away), fixed):
                away = max(away // 2, _NEAREST)
            if away != _NEAREST:
                instrument = _instrument(fixed, away)
                continue
        try:
            step = np.linalg.solve(state.system, directions @ state.score)
        except np.linalg.LinAlgError:
            return None
        after = _stepped(place, np.asarray(step, float), directions, settings)
        length = float(motion_of_points(place.matrix, after.matrix, corners)) * unit
        moved += length
        if not (moved < 1.0 and after.gain > 0):
            break
        place, fit.left = after, length
        if number >= 2 and length < 0.1 * settings.tolerance:
            break
    if not state.evaluate(place, instrument):
        return None
    fit.state[:9], fit.state[9:] = place.matrix.ravel(), (place.gain, place.offset)
    loss = (LOSSES[settings.loss], state.scale, False, settings.motion == "homography")
    normal_equations(
        fixed.held._replace(slopes=fixed.inner),
        *(moving.sampled, place, *loss, fit.hessian, fit.rhs, fit.sums),
    )
    own = directions @ fit.hessian @ directions.T
    system, spread = state.system, state.spread(instrument, apart)
    # Slopes agree by the weights of their pixels: what the loss's second derivative is there says
    # nothing of it.
    state.evaluate(place, instrument, secant=True)
    count = float(fit.sums[0]) * len(fixed.planes)
    seen = (state.system, state.ratio, state.likeness, count)
    return Equations(directions, system, spread, own, *seen)


class _Polish:
    """The equations at a place, in arrays that serve all places."""

    def __init__(
        self, settings: Settings, fixed: Fixed, moving: Moving, directions: FloatArray
    ) -> None:
        self._settings, self._fixed, self._moving = settings, fixed, moving
        self._directions = directions
        self._held = fixed.held._replace(slopes=fixed.inner)
        self._perspective = settings.motion == "homography"
        self._whole = np.zeros((10, 10))
        self._blunting = np.ones(2)
        self.score = np.zeros(10)
        self.psi = np.zeros(fixed.planes.shape, np.float32)
        self.share = np.zeros(fixed.weights.shape, np.float32)
        self.ratio = self.likeness = 0.0
        self.scale = 0.0

    @property
    def system(self) -> FloatArray:
        return np.asarray(self._directions @ self._whole @ self._directions.T)

    def evaluate(self, place: Place, instrument: NDArray[np.float32], secant: bool = False) -> bool:
        """The equations at a place; whether they are finite and rest on pixels."""
        loss = LOSSES[self._settings.loss]
        if loss != LINEAR and self.scale == 0.0:
            left = np.empty(self._fixed.planes.shape)
            residuals(self._fixed.held, self._moving.sampled, place, 1, left)
            self.scale = max(float(typical_size(left, loss)), _LEAST_SCALE)
        self.ratio, self.likeness = map(
            float,
            estimating_equations(
                *(self._held, self._moving.sampled, self._moving.soft, self._blunting),
                *(place, instrument),
                *(loss, self.scale, secant, self._perspective),
                *(self._whole, self.score, self.psi, self.share),
            ),
        )
        return bool(np.isfinite(self._whole).all() and (self.share > 0).any())

    def correlation(self, reach: int, deviation: NDArray[np.float32] | None = None) -> FloatArray:
        """Products of psi with itself by distance, on average: (2 reach + 1, 2 reach + 1)."""
        rows, columns = (_window(np.any(self.share > 0, axis=axis)) for axis in (1, 0))
        use = (self.share[rows, columns] > 0).astype(float)
        values = self.psi[:, rows, columns].astype(float)
        if deviation is not None:
            values = np.divide(
                values,
                deviation[:, rows, columns],
                out=np.zeros_like(values),
                where=deviation[:, rows, columns] > 0,
            )
        reach = min(reach, min(use.shape) // 2)
        padded = [fft.next_fast_len(n + reach + 1, real=True) for n in use.shape]
        power = (np.abs(fft.rfft2(values, padded)) ** 2).sum(axis=0)
        count = np.abs(fft.rfft2(use, padded)) ** 2 * len(values)
        lag = np.arange(-reach, reach + 1)
        at = np.ix_(lag, lag)
        pairs = np.maximum(fft.irfft2(count, padded)[at], 1.0)
        return np.asarray(fft.irfft2(power, padded)[at] / pairs)

    def deviation(self) -> NDArray[np.float32]:
        """Standard deviation of psi at every pixel: its square is linear in the brightness."""
        use = self.share > 0
        out = np.zeros(self.psi.shape, np.float32)
        for plane, psi, sigma in zip(self._fixed.planes, self.psi, out, strict=True):
            square = psi[use].astype(float) ** 2
            bright = smooth(plane, _BRIGHTNESS_SIGMA)[use].astype(float)
            bright -= bright.mean()
            base, power = square.mean(), float(bright @ bright)
            slope = float(bright @ square) / power if power > 0 else 0.0
            sigma[use] = np.sqrt(np.maximum(base + slope * bright, _LEAST_VARIANCE * base))
        return out * self.share

    def spread(self, instrument: NDArray[np.float32], apart: int) -> FloatArray:
        """Covariance of the equations under noise that hangs together over some pixels."""
        fixed = self._fixed
        deviation = self.deviation()
        reach = apart if apart <= _NEAREST else 2 * apart
        lags = self.correlation(reach, deviation)
        fields = np.zeros((5, *fixed.planes.shape), np.float32)
        fields[0], fields[1] = fixed.inner[0] * deviation, fixed.inner[1] * deviation
        if self._perspective:
            y = fixed.grid[0] + fixed.grid[1] * np.arange(fixed.weights.shape[0])
            x = fixed.grid[2] + fixed.grid[3] * np.arange(fixed.weights.shape[1])
            fields[2] = -(fields[0] * y[:, None] + fields[1] * x)
        use = deviation > 0
        fields[3] = (instrument - instrument[use].mean()) * deviation
        fields[4] = deviation
        products = fields.size * float(lags.size)
        step = max(1, int(np.ceil(np.sqrt(products / _PRODUCTS))))
        middle = len(lags) // 2
        whole, white = np.zeros((10, 10)), np.zeros((10, 10))
        alone = lags[middle : middle + 1, middle : middle + 1]
        for each, out in ((lags, whole), (alone, white)):
            spread_of_equations(fields, each.astype(np.float32), fixed.grid, step, out)
            # The gain's instrument was centred: its row holds a share of the offset's.
            mean = float(instrument[use].mean())
            out[GAIN] += mean * out[OFFSET]
            out[:, GAIN] += mean * out[:, OFFSET]
        free = self._directions
        found = definite(free @ whole @ free.T, free @ white @ free.T)
        # Pixels that are worth independent ones: what was fitted took its share of the residual.
        worth = use.sum() / max(float(((lags / lags[middle, middle]) ** 2).sum()), 1.0)
        return np.asarray(found * worth / max(worth - len(found), 1.0))


def definite(spread: FloatArray, white: FloatArray) -> FloatArray:
    """A covariance without the negative variances that correlations cut short can leave.

    Along no direction is it less than a small part of what noise without correlations would give.
    """
    size = np.sqrt(np.maximum(np.diag(white), 1e-300))
    scale = np.outer(size, size)
    powers, axes = np.linalg.eigh((white + white.T) / 2 / scale)
    root = axes * np.sqrt(np.maximum(powers, 1e-12 * powers[-1]))
    whitened = np.linalg.solve(root, np.linalg.solve(root, (spread + spread.T) / 2 / scale).T)
    powers, axes = np.linalg.eigh((whitened + whitened.T) / 2)
    turned = root @ axes
    return np.asarray((turned * np.maximum(powers, _LEAST_POWER)) @ turned.T * scale)


def _directions(settings: Settings) -> FloatArray:
    free = generators(settings.motion)
    directions = np.zeros((len(free) + (2 if settings.brightness else 0), 10))
    directions[: len(free), :8] = free
    if settings.brightness:
        directions[-2, GAIN] = directions[-1, OFFSET] = 1.0
    return directions


def _stepped(place: Place, step: FloatArray, directions: FloatArray, settings: Settings) -> Place:
    change = step @ directions
    rigid = settings.motion == "euclidean"
    matrix = composed_with_step(
        np.ascontiguousarray(place.matrix),
        np.ascontiguousarray(change[:8]),
        rigid,
        float(step[2]) if rigid else 0.0,
        False,
    )
    return Place(matrix, float(place.gain + change[GAIN]), float(place.offset + change[OFFSET]))


def _instrument(fixed: Fixed, apart: int) -> NDArray[np.float32]:
    return some_way_off(fixed.planes, fixed.weights, apart)


def some_way_off(
    planes: NDArray[np.float32], weights: NDArray[np.float32], apart: int
) -> NDArray[np.float32]:
    """What the template is like some pixels away: nothing of a pixel's own noise is in it."""
    total = np.zeros(planes.shape, np.float32)
    count = np.zeros(weights.shape, np.float32)
    for axis, length in enumerate(weights.shape):
        if apart >= length:
            continue
        near = (slice(None),) * axis + (slice(None, -apart),)
        far = (slice(None),) * axis + (slice(apart, None),)
        for to, other in ((near, far), (far, near)):
            total[(slice(None), *to)] += (planes * weights)[(slice(None), *other)]
            count[to] += weights[other]
    return np.divide(total, count, out=np.zeros_like(total), where=count > 0)


def _strong(instrument: NDArray[np.float32], fixed: Fixed) -> bool:
    """Whether a gain's instrument still resembles the template."""
    use = fixed.weights > 0
    pairs = zip(instrument[:, use], fixed.planes[:, use], strict=True)
    return all(
        float(np.cov(one, two)[0, 1]) > _STRONG * np.sqrt(float(one.var()) * float(two.var()))
        for one, two in pairs
    )


def _reach_of(correlation: FloatArray) -> int:
    """Pixels along rows or columns over which noise hangs together."""
    middle = len(correlation) // 2
    along = np.stack([correlation[middle:, middle], correlation[middle, middle:]])
    if not along[0, 0] > 0:
        return _NEAREST
    low = along / along[0, 0] < _APART
    return max(int(np.argmax(each)) if each.any() else middle for each in low)


def _window(used: Any) -> slice:
    """The middle of what is used, no longer than the noise's correlation needs."""
    known = np.flatnonzero(used)
    first, last = int(known[0]), int(known[-1]) + 1
    spare = max(0, last - first - _WINDOW) // 2
    return slice(first + spare, last - spare)
