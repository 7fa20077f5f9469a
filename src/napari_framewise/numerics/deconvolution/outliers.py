"""Pixels that no scene can explain: more than the PSF allows beside their neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.deconvolution.data import Data
from napari_framewise.numerics.deconvolution.extension import Array

# Of differences by noise: the 98 % point and six times its distance from the 90 % point.
_QUANTILES, _BEYOND = (0.9, 0.98), 6.0
_PARTS, _SAMPLED = 8, 2**16
# Steps of whole numbers that are allowed for beside it, where so many differences are none at all.
_STEPS, _TIES = 6.0, 0.1
# Of the PSF: pixels that are looked at, over the brightest; what is allowed beyond what it allows.
_SEEN, _MARGIN = 0.1, 1.25
# What is allowed of any PSF: beside flat ones discs of many points make peaks of their own.
_LEAST = 0.1
_FAR = 1e6
# Pairs of points that are tried, fewer of large kernels.
_PAIRS, _FEWEST_PAIRS, _PAIR_PIXELS = 64, 16, 200_000
# More than that share is a texture, or a PSF that is too wide.
_MOST = 0.05
_ROUNDS = 4
_STRIP = 2**13
_AROUND = [(y, x) for y in range(3) for x in range(3) if (y, x) != (1, 1)]


def outliers(data: Data, kernel: Array) -> NDArray[np.bool_]:
    """Pixels that stand out of their eight neighbours in the plane by more than noise and PSF do.

    With e the excess of a pixel y over the second brightest of its neighbours, y is an outlier
    where

    ``e > t + 1.25 min(q (y - low), p (high - low))``

    t is found from the frame, as of pixels of like brightness one in 50 exceeds its neighbours by
    more than q98 and one in 10 by more than q90: ``t = q98 + 6 (q98 - q90)``, which white noise
    passes once in 10^10. The greatest share q of its own light, and p of the brightest pixel's, by
    which a pixel of one point of light or two stands out of its neighbours (a tenth at least),
    bound that of every scene; low and high are the darkest and brightest place within the reach of
    the PSF. The same with signs changed for what is too dark, and again without those found, up to
    four times.

    Parameters
    ----------
    data : Data
        Of two axes or three, whose planes are looked at each by itself; of one axis nothing is
        found.
    kernel : ndarray

    Returns
    -------
    ndarray of bool
        Empty where more than a twentieth of the pixels would be outliers: that is a texture.

    Examples
    --------
    >>> image = np.random.default_rng(0).normal(10, 1, (64, 64))
    >>> image[5, 5], image[20, 30] = 60, -40
    >>> found = outliers(Data.of(image), np.full((3, 3), 1 / 9))
    >>> np.argwhere(found).tolist()
    [[5, 5], [20, 30]]
    """
    found = np.zeros(data.shape, bool)
    for _ in range(_ROUNDS):
        # Without those that were found others stand out of their neighbours.
        rest = data.without(found)
        more = _either_side(rest, rest.filled, kernel)
        if not more.any():
            break
        found |= more
    return found if np.count_nonzero(found) <= _MOST * data.count else np.zeros(data.shape, bool)


def left_over(data: Data, residual: Array) -> NDArray[np.bool_]:
    """Pixels whose residual stands out of that of their neighbours by more than noise does.

    They are outliers that a PSF allows, or that are small: no scene explained them, where a PSF
    that is wrong leaves a residual which its neighbours share.

    Examples
    --------
    >>> residual = np.random.default_rng(0).normal(0, 1, (64, 64))
    >>> residual[20, 30] = 12
    >>> np.argwhere(left_over(Data.of(residual), residual)).tolist()
    [[20, 30]]
    """
    return _either_side(data, residual, None)


def _either_side(data: Data, values: Array, kernel: Array | None) -> NDArray[np.bool_]:
    none = np.zeros(data.shape, bool)
    if len(data.shape) < 2 or min(data.shape[-2:]) < 3 or not data.count:
        return none
    found = _too_bright(values, data.weight, kernel) | _too_bright(-values, data.weight, kernel)
    return found if np.count_nonzero(found) <= _MOST * data.count else none


def _too_bright(values: Array, use: NDArray[np.bool_], kernel: Array | None) -> NDArray[np.bool_]:
    near = _second_brightest(values)
    apart = values - near
    limit = _limit(near, apart, use)
    found = use & (apart > limit)
    if kernel is not None and found.any():
        calm, size = np.minimum(values, near), tuple(kernel.shape)
        low = ndimage.minimum_filter(calm, size, mode="nearest")
        high = ndimage.maximum_filter(calm, size, mode="nearest")
        own, most = _shares(kernel)
        allowed = np.minimum(own * (values - low), np.minimum(most, _FAR) * (high - low))
        found &= apart > limit + _MARGIN * allowed
    return found


def _second_brightest(values: Array) -> Array:
    """Of the eight neighbours in the plane; borders are mirrored."""
    wide = np.pad(values, [(0, 0)] * (values.ndim - 2) + [(1, 1)] * 2, mode="reflect")
    height, width = values.shape[-2:]
    out = np.empty(values.shape)
    planes = wide.reshape(-1, height + 2, width + 2), out.reshape(-1, height, width)
    # Strips that stay in the processor's cache.
    rows = max(8, _STRIP // width)
    for plane, found in zip(*planes, strict=True):
        for start in range(0, height, rows):
            found[start : start + rows] = _second(plane[start : start + rows + 2])
    return out


def _second(wide: Array) -> Array:
    height, width = wide.shape[0] - 2, wide.shape[1] - 2
    parts = [wide[y : y + height, x : x + width] for y, x in _AROUND]
    first, second = np.maximum(parts[0], parts[1]), np.minimum(parts[0], parts[1])
    smaller = np.empty_like(first)
    for each in parts[2:]:
        np.minimum(first, each, out=smaller)
        np.maximum(second, smaller, out=second)
        np.maximum(first, each, out=first)
    return np.asarray(second)


def _limit(brightness: Array, apart: Array, use: NDArray[np.bool_]) -> Array:
    """What noise and texture make of differences, by brightness."""
    every = max(1, brightness.size // _SAMPLED) | 1
    known = use.ravel()[::every]
    at, sample = brightness.ravel()[::every][known], apart.ravel()[::every][known]
    if not at.size:
        return np.full(apart.shape, np.inf)
    order = np.argsort(at, kind="stable")
    centres, limits = [], []
    for part in np.array_split(order, min(_PARTS, max(1, len(order) // 256))):
        usual, rare = np.quantile(sample[part], _QUANTILES)
        centres.append(at[part].mean())
        limits.append(rare + _BEYOND * (rare - usual))
    ties = sample == 0
    step = 0.0
    if np.count_nonzero(ties) > _TIES * len(sample) and not ties.all():
        step = float(np.abs(sample[~ties]).min())
    return np.asarray(np.interp(brightness, centres, limits) + _STEPS * step)


def _shares(kernel: Array) -> tuple[float, float]:
    """By how much of its own light, and of the brightest place's, a pixel of a scene stands out.

    At most, of one point of light and of two equal ones at some distance: where two discs overlap
    their corners are peaks.
    """
    flat = np.maximum(kernel, 0.0).reshape(-1, *kernel.shape[-2:]).max(axis=0)
    height, width = flat.shape
    steps = [(y, x) for y in range(height) for x in range(1 - width, width)]
    every = max(1, len(steps) // max(_FEWEST_PAIRS, min(_PAIRS, _PAIR_PIXELS // flat.size)))
    own = most = _LEAST
    for y, x in steps[::every]:
        wide = np.zeros((2 * height + 4, 3 * width + 4))
        wide[2 : 2 + height, 2 + width : 2 + 2 * width] = flat
        wide[2 + y : 2 + y + height, 2 + width + x : 2 + 2 * width + x] += flat
        near = _second_brightest(wide)
        apart = np.maximum(wide - near, 0.0)
        seen = wide > _SEEN * float(wide.max())
        own = max(own, float(np.max(apart[seen] / wide[seen])))
        calm = float(np.minimum(wide, near).max())
        most = max(most, float(apart.max()) / calm if calm > 0 else np.inf)
    return own, most
