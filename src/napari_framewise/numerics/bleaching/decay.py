"""The brightness of frames over time: ratios, and an exponential decay with its errors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

# Rates per length of the recording: from hardly bent to gone within a few hundredths of it.
_SLOWEST, _FASTEST, _TRIED = 0.02, 200.0, 160
_CHANCE = 0.01


@dataclass(frozen=True)
class Decay:
    """``f(t) = amplitude exp(-rate (t - start)) + level``, fitted to the means of frames.

    Attributes
    ----------
    start : float
        Time of the first frame that counts.
    amplitude, rate, level : float
        In units of the means and of one over the times; level 0 where it was not fitted.
    half_life : float
        ``ln 2 / rate``.
    amplitude_error, rate_error, level_error, half_life_error : float
        Standard errors, of independent noise that is the same in all frames: drifts and flicker
        that last over frames make them too small. NaN without degrees of freedom, and for a level
        that was not fitted.
    rmse : float
        Root mean square of what the curve leaves.
    count : int
        Frames that it was fitted to.
    bleached : float
        Share of the first value that is gone at the last time.
    settled : bool
        False where the means do not bend enough to tell a rate from a straight line, or fall
        faster than frames follow each other: the rate is at an end of what was tried.
    """

    start: float
    amplitude: float
    rate: float
    level: float
    half_life: float
    amplitude_error: float
    rate_error: float
    level_error: float
    half_life_error: float
    rmse: float
    count: int
    bleached: float
    settled: bool

    def __call__(self, times: ArrayLike) -> FloatArray:
        """Values of the curve."""
        passed = np.asarray(times, np.float64) - self.start
        return np.asarray(self.amplitude * np.exp(-self.rate * passed) + self.level)

    def raised(self, base: float) -> Decay:
        """The same of means that are larger by a constant."""
        ends = self.amplitude + self.level + base
        bleached = self.bleached * (ends - base) / ends if base else self.bleached
        return replace(self, level=self.level + base, bleached=bleached)


def fit_decay(values: ArrayLike, times: ArrayLike | None = None, *, level: bool = True) -> Decay:
    """Fit an exponential decay to the means of frames, by least squares.

    For a given rate the curve is linear in the others, so that only the rate is searched for
    (Golub & Pereyra, 1973, SIAM J. Numer. Anal. 10, 413-432): over the whole range of rates that
    the frames can tell, then by Brent's method. Errors are those of the linear model at the
    solution; that of the half-life follows by the delta method.

    Parameters
    ----------
    values : (n,) array_like
        Mean of each frame; NaN = no data.
    times : (n,) array_like, optional
        Times of the frames, rising; by default their numbers.
    level : bool
        Fit the level that remains as well; else it is 0.

    Returns
    -------
    Decay

    Raises
    ------
    ValueError
        With fewer than four frames (three without a level), where the values do not fall, or where
        they fall by no more than their scatter makes them: the F test of the decay against values
        that are constant, at 1 % (with three degrees of freedom or more).

    Examples
    --------
    >>> times = np.arange(20.0)
    >>> decay = fit_decay(80 * np.exp(-0.1 * times) + 20, times)
    >>> np.round(decay_gains(decay, [0.0]), 6).tolist()
    [1.0]
    """
    y = np.asarray(values, np.float64)
    t = np.arange(len(y), dtype=np.float64) if times is None else np.asarray(times, np.float64)
    known = np.isfinite(y) & np.isfinite(t)
    y, t = y[known], t[known]
    unknowns = 3 if level else 2
    if len(y) <= unknowns or not t[-1] > t[0]:
        raise ValueError(
            f"{len(y)} frames hold data; an exponential decay needs more than {unknowns}: choose "
            "the ratio of means."
        )
    unit, length = float(np.abs(y).max()), float(t[-1] - t[0])
    if not unit > 0:
        raise ValueError("All frames are 0, so nothing decays.")
    x, z = (t - t[0]) / length, y / unit
    rates = np.geomspace(_SLOWEST, _FASTEST, _TRIED)
    sums = np.array([_linear(x, z, rate, level)[1] for rate in rates])
    rate, settled = _least(x, z, rates, int(sums.argmin()), level)
    found, rss = _linear(x, z, rate, level)
    amplitude, rest = float(found[0]), float(found[1]) if level else 0.0
    if not amplitude > 0:
        raise ValueError(
            "The frames do not grow darker, so that no decay can be fitted; choose the ratio of "
            "means, or leave the frames as they are."
        )
    if _constant(z, rss, unknowns):
        raise ValueError(
            "The frames grow darker by no more than their means scatter, so that no decay can be "
            "told; leave the frames as they are, or measure a region that bleaches."
        )
    bend = np.exp(-rate * x)
    slopes = np.stack([bend, -amplitude * x * bend, np.ones_like(x)][:unknowns], axis=1)
    freedom = len(z) - unknowns
    spread = np.full(3, np.nan)
    if freedom > 0:
        _, triangle = np.linalg.qr(slopes)
        if np.abs(np.diag(triangle)).min() > 0:
            inverse = np.linalg.inv(triangle)
            spread[:unknowns] = np.sqrt((inverse**2).sum(axis=1) * rss / freedom)
    ends = amplitude * np.exp(-rate * np.array([0.0, 1.0])) + rest
    return Decay(
        start=float(t[0]),
        amplitude=amplitude * unit,
        rate=rate / length,
        level=rest * unit,
        half_life=float(np.log(2) / rate * length),
        amplitude_error=float(spread[0] * unit),
        rate_error=float(spread[1] / length),
        level_error=float(spread[2] * unit),
        half_life_error=float(np.log(2) / rate**2 * spread[1] * length),
        rmse=float(np.sqrt(rss / len(z)) * unit),
        count=len(z),
        bleached=float(1 - ends[1] / ends[0]),
        settled=settled,
    )


def decay_gains(decay: Decay, times: ArrayLike, *, background: float = 0.0) -> FloatArray:
    """Factors ``(f(start) - background) / (f(t) - background)`` that undo a decay.

    NaN where the curve does not lie above the background.

    Examples
    --------
    >>> times = np.arange(20.0)
    >>> decay = fit_decay(80 * 0.5 ** (times / 5), times, level=False)
    >>> np.round(decay_gains(decay, [0.0, 5.0]), 4).tolist()
    [1.0, 2.0]
    """
    return ratio_gains(decay(times), float(decay(decay.start)), background=background)


def ratio_gains(means: ArrayLike, reference: float, *, background: float = 0.0) -> FloatArray:
    """Factors ``(reference - background) / (mean - background)`` that bring means to a reference's.

    Parameters
    ----------
    means : array_like
        Means of frames.
    reference : float
        Mean that all become.
    background : float
        What a pixel holds without light; it does not bleach.

    Returns
    -------
    ndarray
        NaN where a mean does not lie above the background.

    Examples
    --------
    >>> ratio_gains([100.0, 50.0], 100.0).tolist()
    [1.0, 2.0]
    """
    light = np.asarray(means, np.float64) - background
    out = np.full(light.shape, np.nan)
    if reference > background:
        np.divide(reference - background, light, out=out, where=light > 0)
    return out


def _linear(x: FloatArray, z: FloatArray, rate: float, level: bool) -> tuple[FloatArray, float]:
    """Amplitude and level at a rate, and the residual sum of squares."""
    bend = np.exp(-rate * x)
    columns = np.stack([bend, np.ones_like(x)] if level else [bend], axis=1)
    found, _, _, _ = np.linalg.lstsq(columns, z, rcond=None)
    return found, float(((z - columns @ found) ** 2).sum())


def _constant(z: FloatArray, rss: float, unknowns: int) -> bool:
    """Whether values are as well described by their mean as by a decay."""
    from scipy.stats import f

    still, freedom = float(((z - z.mean()) ** 2).sum()), len(z) - unknowns
    if still <= len(z) * (8 * np.finfo(np.float64).eps) ** 2:
        return True
    if freedom < 3 or not rss > 0:
        return False
    ratio = (still - rss) / (unknowns - 1) / (rss / freedom)
    return bool(f.sf(ratio, unknowns - 1, freedom) > _CHANCE)


def _least(
    x: FloatArray, z: FloatArray, rates: FloatArray, best: int, level: bool
) -> tuple[float, bool]:
    """The rate of the least residual near the best of those that were tried."""
    from scipy.optimize import minimize_scalar

    if best in (0, len(rates) - 1):
        return float(rates[best]), False
    ends = tuple(np.log(rates[[best - 1, best + 1]]))
    found = minimize_scalar(
        lambda logarithm: _linear(x, z, float(np.exp(logarithm)), level)[1],
        bounds=ends,
        method="bounded",
        options={"xatol": 1e-12},
    )
    return float(np.exp(found.x)), True
