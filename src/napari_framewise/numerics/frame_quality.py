"""Which frames of a stack are bad, and why: blank, noise, saturated, out of focus, a jump.

What is said of a frame is told from the others: a frame is bad where it stands far out of them, by
six robust standard deviations and by enough to matter.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.impulses import without_impulses

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
REASONS = ("", "blank", "saturated", "out of focus", "low correlation", "jump", "noise")
"""In the order of their codes."""
BLANK, SATURATED, BLURRED, UNLIKE, JUMP, NOISE = range(1, 7)
_OUT = 6.0
# Least deviation of Fisher's z, and of a shift in pixels, that counts.
_Z, _PIXELS = 0.1, 1.0
_FEWEST = 5
# Shares of the spread of a typical frame, of its sharpness; of pixels at the top.
_SPREAD, _SHARP, _TOP = 0.02, 0.5, 0.2
# Share of white noise in the variance: of noise alone, and at most of a typical frame beside it.
_WHITE, _SEEN = 0.9, 0.6
_AROUND = 3


def looks(frames: NDArray[Any], top: float | None = None) -> FloatArray:
    """What is measured of every frame of a block.

    Parameters
    ----------
    frames : (n, *shape)
        NaN and infinite values are no data.
    top : float, optional
        Greatest value of the detector or of the type; without it nothing is saturated.

    Returns
    -------
    (n, 5) float64
        Share of the pixels with data, their standard deviation, share at `top`; sharpness: the
        power of differences of second order over that of first order, less what white noise would
        give to both, so that it is that of the scene; and the share of white noise in the variance.
        The last two are without pixels that stand alone.

    Examples
    --------
    >>> looks(np.zeros((1, 8, 8)), 255.0).tolist()
    [[1.0, 0.0, 0.0, 0.0, 0.0]]
    """
    found = np.zeros((len(frames), 5))
    for number, frame in enumerate(frames):
        values = np.asarray(frame, np.float64)
        known = np.isfinite(values)
        if not known.any():
            continue
        some = values[known]
        largest = float(np.abs(some).max())
        unit = 2.0 ** np.floor(np.log2(largest)) if largest > 0 else 1.0
        found[number, 0] = known.mean()
        found[number, 1] = float((some / unit).std()) * unit
        if top is not None:
            found[number, 2] = float((some >= top).mean())
        whole = np.where(known, values / unit, some.mean() / unit)
        if whole.ndim in (2, 3):
            planes = whole[np.newaxis] if whole.ndim == 2 else np.moveaxis(whole, -1, 0)
            planes = without_impulses(planes)
            whole = planes[0] if whole.ndim == 2 else np.moveaxis(planes, 0, -1)
        found[number, 3:] = _sharpness(whole)
    return found


def content_reasons(found: FloatArray) -> NDArray[np.int64]:
    """Codes of what is wrong with frames by themselves; 0 is fine.

    Blank, noise alone, saturated, out of focus.

    Parameters
    ----------
    found : (n, 5)
        From `looks`, of all frames.

    Examples
    --------
    >>> rows = np.tile([1.0, 10.0, 0.0, 0.5, 0.1], (9, 1))
    >>> rows[3, 1] = 0.0
    >>> content_reasons(rows).tolist()
    [0, 0, 0, 1, 0, 0, 0, 0, 0]
    """
    share, spread, top, sharp, white = found.T
    codes = np.zeros(len(found), np.int64)
    codes[(share < 0.1) | (spread == 0)] = BLANK
    fine = codes == 0
    if fine.sum() < _FEWEST:
        return codes
    codes[fine & (spread < _SPREAD * np.median(spread[fine]))] = BLANK
    fine = codes == 0
    if np.median(white[fine]) < _SEEN:
        codes[fine & (white > _WHITE)] = NOISE
    fine = codes == 0
    codes[fine & (top > np.median(top[fine]) + _TOP)] = SATURATED
    fine = codes == 0
    level = np.log(np.maximum(sharp, 1e-6))
    middle, scale = _robust(level[fine])
    blurred = (level < middle - _OUT * scale) & (sharp < _SHARP * np.exp(middle))
    codes[fine & blurred] = BLURRED
    return codes


def alignment_reasons(
    codes: NDArray[np.int64], correlation: FloatArray, shifts: FloatArray
) -> NDArray[np.int64]:
    """The same codes with frames marked that correlate far less, or jump away and back.

    A frame that stays where it jumped to is no jump: the scene moved.

    Parameters
    ----------
    codes : (n,) int
        From `content_reasons`.
    correlation : (n,)
        With the template; NaN where it is not known.
    shifts : (n, d)
        Of the frames' centres in pixels; NaN where they are not known.

    Examples
    --------
    >>> shifts = np.zeros((9, 2))
    >>> shifts[4] = 30.0
    >>> alignment_reasons(np.zeros(9, int), np.full(9, 0.9), shifts).tolist()
    [0, 0, 0, 0, 5, 0, 0, 0, 0]
    """
    marked = np.array(codes)
    known = np.isfinite(correlation) & (marked == 0)
    if known.sum() >= _FEWEST:
        # Fisher's z is spread evenly, near a correlation of one as well.
        z = np.arctanh(np.clip(correlation, -0.999999, 0.999999))
        middle, scale = _robust(z[known])
        marked[known & (np.nan_to_num(z) < middle - _OUT * max(scale, _Z))] = UNLIKE
    fine = np.flatnonzero(np.isfinite(shifts).all(axis=1) & (marked == 0))
    if len(fine) < 2 * _AROUND:
        return marked
    path = shifts[fine]
    # Where its neighbours in time are, without itself.
    taps = np.ones((2 * _AROUND + 1, 1), bool)
    taps[_AROUND] = False
    middle_path = ndimage.median_filter(path, footprint=taps, mode="mirror")
    away = np.sqrt(((path - middle_path) ** 2).sum(axis=1))
    # A steady drift is off the median of its neighbours by little.
    limit = max(_OUT * 1.4826 * float(np.median(away)), _PIXELS)
    before = np.sqrt((np.diff(path, axis=0) ** 2).sum(axis=1))
    alone = np.zeros(len(fine), bool)
    alone[1:-1] = (before[:-1] > limit) & (before[1:] > limit)
    marked[fine[(away > limit) & alone]] = JUMP
    return marked


def thumbnail(image: NDArray[Any], side: int = 64) -> FloatArray:
    """An image (y, x[, channels]) in at most side x side pixels, as a row; gaps are its mean.

    Examples
    --------
    >>> thumbnail(np.ones((128, 100))).size
    3200
    """
    plane = np.asarray(image, np.float64)
    plane = plane if plane.ndim == 2 else plane.mean(axis=-1)
    known = np.isfinite(plane)
    plane = np.where(known, plane, plane[known].mean() if known.any() else 0.0)
    for axis in (0, 1):
        step = -(-plane.shape[axis] // side)
        plane = np.add.reduceat(plane, np.arange(0, plane.shape[axis], step), axis=axis) / step
    return np.asarray(plane.ravel())


def most_alike(rows: FloatArray, count: int) -> tuple[NDArray[np.int64], int]:
    """The frames, of rows (n, pixels), that are most like each other.

    Returns
    -------
    numbers : (k,) int64
        In order, up to `count`.
    centre : int
        Which of them the others are like.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(6, 50))
    >>> rows[[1, 4]] = rows[1] + 0.01 * rows[[2, 3]]
    >>> most_alike(rows, 2)[0].tolist()
    [1, 4]
    """
    left = rows - rows.mean(axis=1, keepdims=True)
    size = np.sqrt((left**2).sum(axis=1, keepdims=True))
    unit = np.where(size > 0, left / np.maximum(size, 1e-300), 0.0)
    # Rounded, so that the order of sums decides nothing.
    alike = np.round(unit @ unit.T, 9)
    kept = min(count, len(rows))
    best = np.sort(alike, axis=1)[:, -kept:].mean(axis=1)
    centre = int(np.argmax(best))
    numbers = np.sort(np.argsort(-alike[centre], kind="stable")[:kept])
    return numbers, int(np.searchsorted(numbers, centre))


def _robust(values: FloatArray) -> tuple[float, float]:
    middle = float(np.median(values))
    return middle, 1.4826 * float(np.median(np.abs(values - middle)))


def _sharpness(plane: FloatArray) -> tuple[float, float]:
    """Power of second differences over first ones, and white noise's share of the variance.

    Along all axes that are long enough.

    White noise of variance s^2 has 2 s^2 in first differences and 6 s^2 in second ones; that of
    third ones, 20 s^2, hold next to nothing else.
    """
    axes = [axis for axis, length in enumerate(plane.shape) if length > 4]
    if not axes:
        return 0.0, 0.0
    power = [
        sum(float((np.diff(plane, n=order, axis=axis) ** 2).mean()) for axis in axes)
        for order in (1, 2, 3)
    ]
    noise = power[2] / 20
    first = power[0] - 2 * noise
    variance = float(plane.var()) * len(axes)
    white = min(noise / variance, 1.0) if variance > 0 else 0.0
    return (max(power[1] - 6 * noise, 0.0) / first if first > 0 else 0.0), white
