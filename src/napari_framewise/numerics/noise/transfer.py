"""Gain, offset and read noise of a detector, from frames of a scene that stands still."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

FloatArray = NDArray[np.float64]
_ROUNDS = 50
# Change of the line, as a share of it, that ends the rounds.
_SAME = 1e-9
# Pixels whose variance is farther out than this share of pure noise are left out.
_OUTLYING = 1e-4
_FEWEST = 16
_LINES = 24


@dataclass(eq=False)
class Repeats:
    """Sums over frames of a scene that stands still, pixel by pixel.

    Deviations are from the first frame, so that an offset costs no digits.

    Attributes
    ----------
    count : int
        Frames.
    first : (*frame) float64
        The first frame; NaN where any frame has no data.
    total, squares, common : (*frame) float64
        Sums of the deviations, of their squares, and of their products with the frame's
        brightness.
    highest : (*frame) float64
        Largest value.
    """

    count: int
    first: FloatArray
    total: FloatArray
    squares: FloatArray
    common: FloatArray
    highest: FloatArray

    @classmethod
    def of(cls, frames: ArrayLike, brightness: ArrayLike, first: ArrayLike) -> Repeats:
        """Sums of a block of frames (n, *frame).

        Parameters
        ----------
        frames : (n, *frame)
            Any real dtype.
        brightness : (n,)
            Of each frame, around its mean over all frames.
        first : (*frame)
            The first of all frames.

        Examples
        --------
        >>> made = Repeats.of([[1.0, 2.0], [3.0, 2.0]], [0.0, 0.0], [1.0, 2.0])
        >>> made.variance()[0].tolist()
        [2.0, 0.0]
        """
        start = np.array(first, np.float64)
        start[~np.isfinite(start)] = np.nan
        values = np.array(frames, np.float64)
        values[~np.isfinite(values)] = np.nan
        away = values - start
        level = np.asarray(brightness, np.float64).reshape(-1, *(1,) * start.ndim)
        missing = np.where(np.isfinite(away).all(axis=0), 0.0, np.nan)
        return cls(
            len(values),
            start + missing,
            away.sum(axis=0) + missing,
            (away * away).sum(axis=0) + missing,
            (away * level).sum(axis=0) + missing,
            values.max(axis=0) + missing,
        )

    def merge(self, other: Repeats) -> Repeats:
        """Take in what follows."""
        self.count += other.count
        self.first = self.first + (other.first - other.first)
        self.total = self.total + other.total
        self.squares = self.squares + other.squares
        self.common = self.common + other.common
        self.highest = np.maximum(self.highest, other.highest)
        return self

    def mean(self) -> FloatArray:
        """Mean of each pixel."""
        return np.asarray(self.first + self.total / self.count)

    def variance(self, brightness: float = 0.0) -> tuple[FloatArray, int]:
        """Variance over the frames of each pixel, and its degrees of freedom.

        `brightness` is the sum of the squared brightness of the frames: what each pixel follows of
        it is taken out, where it is given.
        """
        left = self.squares - self.total**2 / self.count
        freedom = self.count - 1
        if brightness > 0:
            left = left - self.common**2 / brightness
            freedom -= 1
        return np.maximum(left, 0.0) / max(freedom, 1), freedom


@dataclass(frozen=True, eq=False)
class Transfer:
    """The line of variance against mean of a detector.

    ``variance = slope * mean + intercept``, in counts squared.

    Attributes
    ----------
    slope, slope_error : float
        Counts per electron, and its standard error: one over the gain in electrons per count.
    intercept, intercept_error : float
        Without dark frames the read noise squared minus slope times offset, which can't be taken
        apart; with dark frames the read noise squared.
    offset, offset_error : float
        Mean of the dark frames, in counts; NaN without.
    read_noise : float
        Standard deviation of the dark frames, in counts; NaN without.
    pixels, left_out, saturated : int
        Pixels of the fit, those whose variance is no noise of the model, those at the top.
    mean, variance, fitted, error : (lines,) float64
        The curve: means of pixels of like brightness, of their variances, the line, and the
        standard error of the mean of the variances.
    """

    slope: float
    slope_error: float
    intercept: float
    intercept_error: float
    offset: float
    offset_error: float
    read_noise: float
    pixels: int
    left_out: int
    saturated: int
    mean: FloatArray
    variance: FloatArray
    fitted: FloatArray
    error: FloatArray

    @property
    def gain(self) -> float:
        """Electrons per count; NaN where the slope is not positive."""
        return 1 / self.slope if self.slope > 0 else float("nan")

    @property
    def gain_error(self) -> float:
        """Standard error of the gain."""
        return self.slope_error / self.slope**2 if self.slope > 0 else float("nan")


def photon_transfer(
    mean: FloatArray,
    variance: FloatArray,
    freedom: int,
    *,
    dark: tuple[FloatArray, FloatArray, int] | None = None,
    full: NDArray[np.bool_] | None = None,
) -> Transfer:
    """Fit the line of variance against mean over the pixels.

    Parameters
    ----------
    mean, variance : (*frame) float64
        Over frames of a scene that stands still; NaN is no data.
    freedom : int
        Degrees of freedom of each variance.
    dark : tuple of mean, variance and degrees of freedom, optional
        Of frames without light: the line then goes through their offset and read noise, and means
        are above each pixel's own offset.
    full : (*frame) bool, optional
        Pixels that saturate in some frame: they, and those that come as close to them as the noise,
        are left out.

    Returns
    -------
    Transfer
        NaN where fewer than 16 pixels have data, or none differ in mean.

    Notes
    -----
    Weighted least squares with the weights ``freedom / (2 v^2)``, v the variance on the line, in
    rounds. Variances beyond the 0.01 % point of chi-square for the line are left out: of things
    that move or blink. That mean and variance of a pixel come from the same frames does not bend
    the slope of Poisson noise, for their covariance equals what noise in the mean takes (Janesick
    2007, *Photon Transfer*, chapter 5).

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> light = np.linspace(20, 400, 4096)
    >>> frames = 100 + 2.0 * random.poisson(light, (50, 4096))
    >>> found = photon_transfer(frames.mean(axis=0), frames.var(axis=0, ddof=1), 49)
    >>> bool(abs(found.slope - 2) < 0.06)
    True
    """
    m, v = mean.reshape(-1), variance.reshape(-1)
    offset = read = float("nan")
    offset_error = float("nan")
    known = np.isfinite(m) & np.isfinite(v)
    if dark is not None:
        below, dark_variance = dark[0].reshape(-1), dark[1].reshape(-1)
        seen = np.isfinite(below) & np.isfinite(dark_variance)
        known &= seen
        if seen.any():
            offset = float(below[seen].mean())
            read = float(np.sqrt(dark_variance[seen].mean()))
            offset_error = read / float(np.sqrt(seen.sum() * (dark[2] + 1)))
        m = m - below
    level = np.inf
    saturated = 0
    if full is not None and full.any():
        top = full.reshape(-1)
        level = float(np.nanmin(np.where(top & known, m, np.nan))) if (top & known).any() else level
        saturated = int((top & known).sum())
        known = known & ~top
    intercept = read**2 if dark is not None else None
    x, y = m[known], v[known]
    nothing = _nothing(offset, offset_error, read, saturated)
    if len(x) < _FEWEST or not np.ptp(x) > 0 or not (y > 0).any() or freedom < 1:
        return nothing
    low, high = (
        float(stats.chi2.ppf(_OUTLYING / 2, freedom)) / freedom,
        float(stats.chi2.isf(_OUTLYING / 2, freedom)) / freedom,
    )
    line, used = _robust_start(x, y, intercept), np.ones(len(x), bool)
    floor = 1e-6 * float(np.median(y[y > 0]))
    before = np.zeros_like(x)
    for _ in range(_ROUNDS):
        on = np.maximum(line[0] * x + line[1], floor)
        kept = (y <= high * on) & (y >= low * on) & (x + 4 * np.sqrt(on) < level)
        if kept.sum() < _FEWEST or not np.ptp(x[kept]) > 0:
            return nothing
        line, errors = _line(x[kept], y[kept], freedom / (2 * on[kept] ** 2), intercept)
        if (kept == used).all() and np.allclose(on, before, rtol=_SAME, atol=0.0):
            break
        used, before = kept, on
    curve = _curve(x[used], y[used])
    back = offset if dark is not None else 0.0
    return Transfer(
        line[0],
        errors[0],
        line[1],
        errors[1],
        offset,
        offset_error,
        read,
        int(used.sum()),
        int((~used).sum()),
        saturated,
        curve[0] + back,
        curve[1],
        line[0] * curve[0] + line[1],
        curve[2],
    )


def _nothing(offset: float, error: float, read: float, saturated: int) -> Transfer:
    nan = float("nan")
    empty = np.empty(0)
    numbers = (nan, nan, nan, nan, offset, error, read, 0, 0, saturated)
    return Transfer(*numbers, empty, empty, empty, empty)


def _robust_start(x: FloatArray, y: FloatArray, intercept: float | None) -> tuple[float, float]:
    """A line through the medians of pixels of like brightness."""
    centres, middle, _ = _curve(x, y, typical=True)
    if intercept is not None:
        size = float(centres @ centres)
        slope = float(centres @ (middle - intercept)) / size if size > 0 else 0.0
        return max(slope, 0.0), intercept
    slope, at_zero = np.polyfit(centres, middle, 1) if len(centres) > 1 else (0.0, middle[0])
    return float(slope), float(at_zero)


def _line(
    x: FloatArray, y: FloatArray, weight: FloatArray, intercept: float | None
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Slope and intercept, and their standard errors."""
    if intercept is not None:
        size = float(np.sum(weight * x * x))
        slope = float(np.sum(weight * x * (y - intercept))) / size
        return (slope, intercept), (size**-0.5, 0.0)
    total = float(weight.sum())
    middle = float(weight @ x) / total
    away = x - middle
    size = float(np.sum(weight * away * away))
    slope = float(np.sum(weight * away * y)) / size
    level = float(weight @ y) / total
    return (
        (slope, level - slope * middle),
        (size**-0.5, float(np.sqrt(1 / total + middle**2 / size))),
    )


def _curve(
    x: FloatArray, y: FloatArray, *, typical: bool = False
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Means of pixels of like brightness, equally many in each, of their variances, and errors."""
    # What is equal but for rounding stays in its order.
    span = float(np.ptp(x)) or 1.0
    order = np.argsort(np.rint((x - x.min()) / span * 2.0**36), kind="stable")
    parts = [each for each in np.array_split(order, _LINES) if len(each)]
    take = np.median if typical else np.mean
    return (
        np.array([x[each].mean() for each in parts]),
        np.array([take(y[each]) for each in parts]),
        np.array([y[each].std() / np.sqrt(len(each)) for each in parts]),
    )
