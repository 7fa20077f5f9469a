"""Whether an exponential describes the means: what it leaves, frame by frame, judged as noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.bleaching.decay import Decay

_NORMAL = 1.4826
_FAR, _LASTING, _FEWEST = 6.0, 3.0, 12


@dataclass(frozen=True)
class Misfit:
    """What a decay leaves of the means.

    Attributes
    ----------
    correlation : float
        Of the residuals of neighbouring frames; NaN with fewer than 12 frames or no residual.
    lasts : bool
        Whether it is larger than independent noise makes it (by three standard deviations).
    scatter : float
        Standard deviation of the means about the curve, by the median: outliers take no part.
    outliers : tuple of int
        Places of the frames that lie more than six times the scatter off the curve.
    """

    correlation: float
    lasts: bool
    scatter: float
    outliers: tuple[int, ...]


def misfit_of(decay: Decay, values: ArrayLike, times: ArrayLike | None = None) -> Misfit:
    """Judge the fit of a decay by its residuals.

    Independent residuals of n frames have a correlation of neighbours about 0 with a standard
    deviation of ``1 / sqrt(n)`` (Anderson, 1942, Ann. Math. Statist. 13, 1-13). A second phase, a
    change of the lamp or a flash leaves residuals that last.

    Parameters
    ----------
    decay : Decay
        Fitted to the values.
    values : (n,) array_like
        Mean of each frame; NaN = no data.
    times : (n,) array_like, optional
        Times of the frames; by default their numbers.

    Returns
    -------
    Misfit

    Examples
    --------
    >>> from napari_framewise.numerics.bleaching import fit_decay
    >>> times = np.arange(60.0)
    >>> fast_and_slow = 50 * np.exp(-times / 4) + 50 * np.exp(-times / 60)
    >>> misfit_of(fit_decay(fast_and_slow), fast_and_slow).lasts
    True
    """
    y = np.asarray(values, np.float64)
    t = np.arange(len(y), dtype=np.float64) if times is None else np.asarray(times, np.float64)
    left = y - decay(t)
    known = np.flatnonzero(np.isfinite(left))
    left = left[known]
    # what rounding leaves of an exact curve says nothing
    least = 1e-9 * float(np.abs(y[known]).max()) if len(known) else np.inf
    if len(known) < _FEWEST or decay.rmse <= least:
        return Misfit(np.nan, False, decay.rmse, ())
    unit = float(np.abs(left).max())
    scaled = left / unit
    correlation = float((scaled[1:] * scaled[:-1]).sum() / (scaled**2).sum())
    scatter = max(_NORMAL * float(np.median(np.abs(left))), least)
    far: NDArray[np.intp] = known[np.abs(left) > _FAR * scatter]
    lasts = correlation > _LASTING / np.sqrt(len(left))
    return Misfit(correlation, bool(lasts), scatter, tuple(map(int, far)))
