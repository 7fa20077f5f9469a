"""Estimating equations of a shift, without bias, and the covariance of their solution.

For a translation d the residual of a pixel is ``image(p + d) - gain T(p) - offset``. With slopes of
the template as instruments for the shift and what it is like some pixels away for the gain,
``sum_p Z psi(residual) = 0`` has the true shift in the mean (see `instruments`); Newton's steps
solve it. All pixels are sampled at one fraction, so that whole rows are handled at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from napari_framewise.numerics.alignment.polish import definite
from napari_framewise.numerics.alignment.result import Status
from napari_framewise.numerics.alignment.template import Settings
from napari_framewise.numerics.alignment.translation_images import PAD, Moved, Still
from napari_framewise.numerics.alignment.translation_windows import window_of

FloatArray: TypeAlias = NDArray[np.float64]
Plane: TypeAlias = NDArray[np.float32]
_HUBER, _TUKEY = 1.345, 4.685
_STEPS = 20
_FEWEST = 16
_BRIGHTNESS_SIGMA = 2.0
_LEAST_VARIANCE = 0.1
# Standard deviations beyond chance that slopes must agree by, and what is enough for few pixels.
_MARGIN, _CERTAIN = 5.0, 0.15
_LEAST_SCALE = 1e-3
# Windows of a template that are kept, of so many pixels at most (2 MB each).
_WINDOWS, _KEPT_PIXELS = 4, 2**15
# Pixels from which steps are Newton's.
_NEAR = 0.1


@dataclass(frozen=True, eq=False)
class Answer:
    """Where the equations led.

    Attributes
    ----------
    shift : (2,) float64
        In pixels.
    gain, offset : float
        Of standardised images.
    covariance : (2, 2) float64
    textured, alike : bool
        Whether both images share slopes along every direction; and at all.
    left : float
        Last step, in pixels.
    history : (steps, 5) float64
    """

    shift: FloatArray
    gain: float
    offset: float
    covariance: FloatArray
    textured: bool
    alike: bool
    left: float
    correlation: float
    rms: float
    history: FloatArray

    @property
    def error(self) -> float:
        """Root mean square standard error, in pixels."""
        return float(np.sqrt(max(np.trace(self.covariance), 0.0)))


class Equations:
    """The estimating equations of a shift, within a window of whole pixels.

    Parameters
    ----------
    still : Still
    moved : Moved
    settings : Settings
    whole : tuple of int
        The shift, to whole pixels: what pixels of the image the template's are compared with.
    """

    def __init__(
        self, still: Still, moved: Moved, settings: Settings, whole: tuple[int, int]
    ) -> None:
        self._still, self._moved, self._settings, self.whole = still, moved, settings, whole
        margin = moved.margin
        self._window = tuple(
            slice(max(0, margin - k), max(0, min(own, other - margin - k), margin - k))
            for k, own, other in zip(whole, still.use.shape, moved.shape, strict=True)
        )
        rows, columns = self._window
        use = still.use[rows, columns]
        if moved.usable is not None and use.size:
            use = (
                use
                * moved.usable[
                    rows.start + whole[0] : rows.stop + whole[0],
                    columns.start + whole[1] : columns.stop + whole[1],
                ]
            )
        self.use = use
        self.count = int(np.count_nonzero(use))

    def prepare(self) -> None:
        """Instruments and the unknowns of brightness, one row each, a column per value."""
        still = self._still
        if self._moved.usable is not None or self.use.size > _KEPT_PIXELS:
            self._made = window_of(still, self._window, self.use, self._settings.brightness)
        else:
            # They are the template's alone, and frames of a stack share most windows.
            key = (*((each.start, each.stop) for each in self._window), self._settings.brightness)
            found = still.windows.get(key)
            if found is None:
                if len(still.windows) >= _WINDOWS:
                    still.windows.clear()
                found = still.windows[key] = window_of(
                    still, self._window, self.use, self._settings.brightness
                )
            self._made = found
        made = self._made
        self.channels, self.weight, self.slopes = made.channels, made.weight, made.slopes
        self.unknowns, self.instruments, self.each = made.unknowns, made.instruments, made.each

    @property
    def pairs(self) -> Any:
        """Pairs of pixels in use at every lag, and the size of the transforms behind it."""
        return self._made.pairs

    def sampled(self, fraction: FloatArray) -> tuple[Plane, Plane]:
        """The image, shifted: values (n,) and slopes along both axes (2, n)."""
        (value, rate), (across, change) = (_taps(float(each)) for each in fraction)
        first = [
            int(np.floor(each)) + k + window.start + PAD - 1
            for each, k, window in zip(fraction, self.whole, self._window, strict=True)
        ]
        rows, columns = self.use.shape
        part = self._moved.coefficients[
            :, first[0] : first[0] + rows + 3, first[1] : first[1] + columns + 3
        ]
        lines = [part[:, k : k + rows] for k in range(4)]
        level, slope = _combined(lines, value), _combined(lines, rate)
        level_, slope_ = ([each[..., k : k + columns] for k in range(4)] for each in (level, slope))
        slopes = np.empty((2, level.shape[0] * rows * columns), np.float32)
        slopes[0] = _combined(slope_, across).ravel()
        slopes[1] = _combined(level_, change).ravel()
        return _combined(level_, across).ravel(), slopes

    def soft(self, fraction: FloatArray) -> Plane:
        """The image's smoothed slopes, shifted (2, n), between pixels by lines."""
        part = self._moved.slopes
        for axis, (each, k, window) in enumerate(
            zip(fraction, self.whole, self._window, strict=True)
        ):
            low = int(np.floor(each))
            first = low + k + window.start
            at = np.clip(
                np.arange(first, first + self.use.shape[axis] + 1), 0, part.shape[2 + axis] - 1
            )
            part = np.take(part, at, axis=2 + axis)
            near, far = (slice(None),) * (2 + axis), np.float32(each - low)
            one, two = part[(*near, slice(None, -1))], part[(*near, slice(1, None))]
            part = one + far * (two - one)
        return part.reshape(2, -1)

    def psi(self, residual: Plane, scale: float, near: bool) -> tuple[Plane, Plane]:
        """The loss's derivative of each residual, and its own; far off, the weight instead."""
        loss = self._settings.loss
        if loss == "linear":
            return residual, np.ones_like(residual)
        if loss == "huber":
            bound = np.float32(_HUBER * scale)
            size = np.abs(residual)
            rate = size <= bound if near else bound / np.maximum(size, bound)
            return np.asarray(np.clip(residual, -bound, bound)), np.asarray(rate, np.float32)
        t = (residual / np.float32(_TUKEY * scale)) ** 2
        inside = np.maximum(1 - t, 0)
        rate = np.where(t < 1, (1 - t) * (1 - 5 * t), 0) if near else inside * inside
        return np.asarray(residual * inside * inside), np.asarray(rate, np.float32)

    def scale(self, residual: Plane) -> float:
        """Standard deviation of the residuals, from the median of their size."""
        size = np.abs(residual[self.weight > 0])
        typical = 1.4826 * float(np.partition(size, size.size // 2)[size.size // 2])
        least = 0.25 if self._settings.loss == "tukey" else 0.02
        return max(typical, least * float(np.sqrt((size**2).mean())), _LEAST_SCALE)


def _taps(fraction: float) -> tuple[list[np.float32], list[np.float32]]:
    """Weights of four coefficients of a cubic B-spline, for the value and for the slope."""
    p = fraction - np.floor(fraction)
    q = 1 - p
    value = [q**3 / 6, 2 / 3 - p * p * (1 - p / 2), 2 / 3 - q * q * (1 - q / 2), p**3 / 6]
    slope = [-q * q / 2, p * (1.5 * p - 2), q * (2 - 1.5 * q), p * p / 2]
    return [np.float32(each) for each in value], [np.float32(each) for each in slope]


def _combined(parts: list[Plane], taps: list[np.float32]) -> Plane:
    total = parts[0] * taps[0]
    for part, tap in zip(parts[1:], taps[1:], strict=True):
        total += part * tap
    return np.asarray(total)


def solved(
    still: Still, moved: Moved, settings: Settings, start: FloatArray, gain: float, offset: float
) -> Answer | Status:
    """Solve the equations from a start; or why they can't be."""
    shift = np.asarray(start, float).copy()
    begin, scale, last = shift.copy(), 0.0, np.inf
    history: list[list[float]] = []
    brightness = np.zeros(0)
    equations: Equations | None = None
    for number in range(_STEPS):
        whole = (round(float(shift[0])), round(float(shift[1])))
        if equations is None or np.abs(shift - equations.whole).max() > 0.75:
            equations = Equations(still, moved, settings, whole)
            if equations.count < _FEWEST:
                return Status.LEFT
            equations.prepare()
            brightness = np.zeros(len(equations.unknowns))
        values, slopes = equations.sampled(shift - equations.whole)
        nuisance, weight = equations.unknowns, equations.weight
        own = equations.instruments[2:]
        plain = values - gain * still.values[:, *equations._window].ravel() - offset
        if not len(nuisance):
            residual = np.asarray(plain, np.float32)
        else:
            if not brightness.any():
                try:
                    brightness = np.linalg.solve(
                        (own @ nuisance.T).astype(float), (own @ values).astype(float)
                    )
                except np.linalg.LinAlgError:
                    return Status.FLAT
            residual = np.asarray(values - brightness.astype(np.float32) @ nuisance, np.float32)
        if number < 4:
            scale = equations.scale(residual)
        psi, rate = equations.psi(residual, scale, last < _NEAR)
        unknowns = np.concatenate([slopes, -nuisance])
        system = (equations.instruments * rate) @ unknowns.T
        score = equations.instruments @ psi
        try:
            step = -np.linalg.solve(system.astype(float), score.astype(float))
        except np.linalg.LinAlgError:
            return Status.FLAT
        length = float(np.hypot(step[0], step[1]))
        if not np.isfinite(length):
            return Status.FLAT
        if length > 1.0:
            step /= length
        cost = float(np.sqrt((weight * residual * residual).sum() / weight.sum()))
        short = length < settings.tolerance * 0.1 or (number > 3 and length > last)
        if short and number > 0:
            last = length
            break
        last = length
        shift += step[:2]
        brightness = brightness + step[2:]
        away = float(np.hypot(*(shift - begin)))
        history.append([0.0, cost, length, away, 0.0])
        if away > 4 + 4 * still.smoothing:
            return Status.UNLIKE
    assert equations is not None
    return _answer(
        equations, still, shift, brightness, system, psi, residual, values, last,
        np.array(history).reshape(-1, 5), gain, offset,
    )  # fmt: skip


def _answer(
    equations: Equations, still: Still, shift: FloatArray, brightness: FloatArray, system: Any,
    psi: Plane, residual: Plane, values: Plane, last: float, history: FloatArray,
    gain: float, offset: float,
) -> Answer:  # fmt: skip
    """Errors of a solution, and what the slopes say of it."""
    weight = equations.weight
    total = float(weight.sum())
    covariance = _covariance(equations, still, psi, system.astype(float))
    own = equations.slopes
    slopes = equations.soft(shift - equations.whole)
    seen = slopes * weight
    first, second = (own @ own.T).astype(float), (seen @ slopes.T).astype(float)
    shared = (own @ slopes.T).astype(float)
    likeness = np.trace(shared) / np.sqrt(max(np.trace(first) * np.trace(second), 1e-300))
    chance = np.sqrt(still.slope_pixels / (2 * total))
    alike = bool(np.arctanh(np.clip(likeness, -0.999999, 0.999999)) > 6.0 * chance)
    textured = _textured(
        first, shared, np.trace(second) / max(np.trace(first), 1e-300), total, still
    )
    template = still.values[:, *equations._window].ravel()
    mean, middle = (float((weight * each).sum() / total) for each in (template, values))
    one, two = template - np.float32(mean), values - np.float32(middle)
    power = float((weight * one * one).sum()) * float((weight * two * two).sum())
    correlation = float((weight * one * two).sum()) / np.sqrt(power) if power > 0 else 0.0
    if len(brightness):
        gain, offset = float(brightness[0]), float(brightness[equations.each])
    rms = float(np.sqrt((weight * residual * residual).sum() / total))
    return Answer(shift, gain, offset, covariance, textured, alike, last, correlation, rms, history)


def _textured(
    own: FloatArray, shared: FloatArray, ratio: float, count: float, still: Still
) -> bool:
    """Whether both images' slopes agree along every direction beyond chance."""
    powers, axes = np.linalg.eigh(own)
    if not powers[0] > 1e-7 * powers[-1]:
        return False
    whitened = axes / np.sqrt(powers)
    agreeing = float(np.linalg.eigvalsh(whitened.T @ (shared + shared.T) / 2 @ whitened)[0])
    needed = min(_MARGIN * np.sqrt(still.slope_pixels / count), _CERTAIN)
    return bool(agreeing > needed * np.sqrt(max(ratio, 1e-300)))


def _covariance(equations: Equations, still: Still, psi: Plane, system: FloatArray) -> FloatArray:
    """Covariance of the shift: of each pixel's influence, times the noise's correlation."""
    shape = (equations.channels, *equations.use.shape)
    influence = (np.linalg.inv(system)[:2].astype(np.float32) @ equations.instruments).reshape(
        2, *shape
    )
    psi = (psi * equations.weight).reshape(shape)
    deviation = _deviation(psi, still.bright[:, *equations._window], equations.use)
    standard = np.divide(psi, deviation, out=np.zeros_like(psi), where=deviation > 0)
    influence = influence * deviation
    most, padded, pairs = equations.pairs
    power = (np.abs(fft.rfft2(standard, padded)) ** 2).sum(axis=0)
    lag = np.arange(-most, most + 1)
    found = fft.irfft2(power, padded)[np.ix_(lag, lag)] / pairs
    middle = found[most, most]
    if not middle > 0:
        return np.zeros((2, 2))
    along = np.stack([found[most:, most], found[most, most:]]) / middle
    reach = max(int(np.argmax(each < 0.1)) if (each < 0.1).any() else most for each in along)
    reach = min(
        most, max(2, 2 * reach if reach > 2 else reach, int(np.ceil(4.2 * still.smoothing)))
    )
    kept = np.zeros(padded, np.float32)
    near = np.arange(-reach, reach + 1)
    kept[np.ix_(near, near)] = found[np.ix_(near + most, near + most)]
    spectra = fft.rfft2(influence, padded)
    weight = np.full(kept.shape[1] // 2 + 1, 2.0)
    weight[0] = 1.0
    if kept.shape[1] % 2 == 0:
        weight[-1] = 1.0
    noise = fft.rfft2(kept).real * weight
    whole = np.zeros((2, 2))
    for i in range(2):
        for j in range(2):
            both = (spectra[i] * spectra[j].conj()).real.sum(axis=0)
            whole[i, j] = float((both * noise).sum()) / kept.size
    flat = influence.reshape(2, -1)
    white = (flat @ flat.T).astype(float) * float(middle)
    worth = (
        equations.count
        * equations.channels
        / max(float(((found[np.ix_(near + most, near + most)] / middle) ** 2).sum()), 1.0)
    )
    found_ = definite(whole, white)
    return np.asarray(found_ * worth / max(worth - len(system), 1.0))


def _deviation(psi: Plane, bright: Plane, use: Plane) -> Plane:
    """Standard deviation of psi at every pixel: its square is linear in the brightness."""
    total = float(use.sum())
    out = np.empty_like(psi)
    for each, plane, sigma in zip(psi, bright, out, strict=True):
        square = each * each
        base = float(square.sum()) / total
        centred = (plane - np.float32((plane * use).sum() / total)) * use
        power = float((centred * centred).sum())
        slope = float((centred * square).sum()) / power if power > 0 else 0.0
        np.sqrt(np.maximum(base + slope * centred, _LEAST_VARIANCE * base), out=sigma)
    return out * use
