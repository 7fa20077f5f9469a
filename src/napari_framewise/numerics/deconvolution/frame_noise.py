"""The noise of a frame whose blur is known: how large, how it grows, whether it is correlated."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from napari_framewise.numerics.deconvolution.data import Data
from napari_framewise.numerics.deconvolution.extension import Array
from napari_framewise.numerics.noise import noise_growth, sigma_of_image

# Of the frame's standard deviation: noise that is taken where there is none.
_LEAST_NOISE = 1e-4
# The part whose spectrum is looked at: at most so many pixels, and so many along an axis at least.
_PIXELS, _SHORTEST = 2**16, 32
# Of that part, pixels that must count.
_KNOWN = 0.9
# Rings of a spectrum, frequencies that one needs, and the share of them that is looked at.
_RINGS, _FEWEST, _SHARE = 25, 24, 1 / 8
# Power of the transfer function from which on a frequency shows the scene.
_THROUGH = 0.1
# In a ring of noise alone the scene may have this share of the power.
_OF_SCENE = 0.05
# Noise is correlated where its power falls by such a factor over so many rings of noise alone or
# more, and by so many standard errors of the slope.
_LEAST_RINGS, _FALLS, _ERRORS = 3, 1.5, 3.5
# Of the largest power of noise: what has less may be what the window lets through.
_LEAST_POWER = 0.01
# Of its values where the window is larger: 3.4 at most of Gaussian noise and 5 of photons' on four
# photographs; 3.8 and more of the camera's edges with kernels of twice the right width.
_PEAKED, _PEAKED_OF_PHOTONS, _INSIDE = 3.6, 5.5, 0.3
# Largest factor that power may grow by from the rings of noise towards frequency 0.
_MOST = 10.0


@dataclass(frozen=True)
class FrameNoise:
    """What the noise of a frame is.

    Attributes
    ----------
    sigma : float
        Its standard deviation, never 0.
    growth : float
        Its variance in the brightest tenth over that in the darkest, where that was measured and
        grows; else 1.
    correlation : float
        `sigma` over what the differences of neighbours show, where noise is correlated over pixels;
        else 1.
    """

    sigma: float
    growth: float = 1.0
    correlation: float = 1.0


def frame_noise(
    data: Data, kernel: Array, stated: float | None = None, rounding: float = 0.0
) -> FrameNoise:
    """Noise of a frame that was blurred by a kernel.

    Of noise that grows with brightness sigma is the root of the mean variance, as the discrepancy
    principle asks for: that of the flattest parts alone, which are dark ones, is less by up to a
    half, and leaves noise in the result. Of noise that is correlated over pixels it is that of
    `sigma_beyond`: neighbours show up to 20 times less.

    Parameters
    ----------
    data : Data
    kernel : ndarray
        Of unit sum.
    stated : float, optional
        In place of what is measured.
    rounding : float
        Of whole numbers, in the unit of the data: the noise is not less.
    """
    least = _LEAST_NOISE * data.spread
    if stated is not None:
        return FrameNoise(max(stated, least))
    found, growth, correlation = sigma_of_image(data.values, data.weight), 1.0, 1.0
    line = noise_growth(data.values, data.weight)
    if line.grows:
        found = math.sqrt(float(line.variance(data.values)[data.weight].mean()))
        growth = line.growth
    beyond = sigma_beyond(data, kernel, line.grows)
    if beyond > found > 0:
        found, correlation = beyond, beyond / found
    least = max(least, rounding)
    return FrameNoise(max(found, least) if math.isfinite(found) else least, growth, correlation)


def sigma_beyond(data: Data, kernel: Array, grows: bool = False) -> float:
    """Standard deviation of correlated noise, seen where the kernel lets no scene through.

    In rings of equal frequency f the frequencies are looked at where the scene has least power,
    ``|h|^2 c / f^p`` with c and p from frequencies that the kernel passes. Where that is less than
    5 % of what is seen, noise is alone: its power, the median over ln 2, is fitted by
    ``a exp(-b f^2)``, which is that of white noise smoothed by a Gaussian. Sigma squared is the
    mean over all frequencies of what was seen, and towards 0 of the fit. What is peaked as edges
    are is scene, that a kernel too wide should have kept from there.

    Parameters
    ----------
    data : Data
        The middle of what counts is looked at, at most 2^16 pixels under a Hann window.
    kernel : ndarray
    grows : bool
        Whether noise grows with brightness, and is more peaked for that.

    Returns
    -------
    float
        NaN where noise is white, or no frequency shows it alone.

    Examples
    --------
    >>> from scipy import ndimage
    >>> random = np.random.default_rng(0)
    >>> noise = ndimage.gaussian_filter(random.normal(size=(96, 96)), 0.8, mode="wrap")
    >>> data = Data.of(5 * noise / noise.std())
    >>> kernel = np.full((5, 5), 1 / 25)
    >>> 4.5 < sigma_beyond(data, kernel) < 5.5
    True
    >>> sigma_beyond(Data.of(random.normal(size=(96, 96))), kernel)
    nan
    """
    part = _part(data)
    if part is None:
        return math.nan
    window = _window(part.shape)
    off = part - float(np.sum(part * window) / window.sum())
    spectrum = fft.rfftn(off * window)
    size = float(np.sum(window * window))
    ring, power, count, where = _rings(spectrum, part.shape, kernel, size)
    alone = count > 0
    fit = alone & (power > _LEAST_POWER * power.max(where=alone, initial=0.0))
    if np.count_nonzero(fit) < _LEAST_RINGS:
        return math.nan
    squares, logs, weight = ring[fit] ** 2, np.log(power[fit]), count[fit] / count[fit].sum()
    middle, level = float(np.dot(weight, squares)), float(np.dot(weight, logs))
    size = float(np.dot(weight, (squares - middle) ** 2))
    slope = float(np.dot(weight, (squares - middle) * logs)) / size
    left = logs - level - slope * (squares - middle)
    # Of the median of so many exponential values; or as large as the rings say, where that is more.
    by_chance = 1 / (math.log(2) * math.sqrt(float(count[fit].sum())))
    by_rings = math.sqrt(float(np.dot(weight, left * left)) / (left.size - 2))
    error = max(by_chance, by_rings) / math.sqrt(size)
    falls = -slope * float(squares.max() - squares.min())
    if falls < math.log(_FALLS) or -slope < _ERRORS * error:
        return math.nan
    most = _PEAKED_OF_PHOTONS if grows else _PEAKED
    if _peaked(fft.irfftn(spectrum * where, part.shape), window) > most:
        # Edges of the scene: the kernel is too wide.
        return math.nan
    first = float(squares.min())
    # No steeper towards 0 than by such a factor.
    rises = np.minimum(slope * (ring**2 - first), math.log(_MOST))
    seen = np.where(alone, power, np.exp(level + slope * (first - middle) + rises))
    # Of an image the rings grow with f, of a volume with its square; the corners are past the last.
    share = ring ** (part.ndim - 1)
    share = share / share.sum() * _inside(part.ndim)
    variance = float(np.dot(share, seen)) + (1 - float(share.sum())) * float(seen[-1])
    return math.sqrt(variance)


def _window(shape: tuple[int, ...]) -> Array:
    """Hann's, along every axis."""
    window = np.ones(())
    for length in shape:
        window = np.multiply.outer(window, np.hanning(length + 2)[1:-1])
    return window


def _peaked(image: Array, window: Array) -> float:
    """Mean fourth power over the squared mean square, 3 of Gaussian noise, inside a window."""
    inside = window > _INSIDE
    squares = np.square(image[inside] / window[inside])
    return float(np.mean(squares * squares) / np.mean(squares) ** 2)


def _inside(ndim: int) -> float:
    """Share of all frequencies that lie within half a cycle per pixel."""
    return {1: 1.0, 2: math.pi / 4, 3: math.pi / 6}[ndim]


def _part(data: Data) -> Array | None:
    """The middle of what counts, large enough and nearly whole, its gaps filled; else None."""
    if not data.count:
        return None
    middle = [
        float(np.dot(np.arange(n), data.weight.sum(axis=tuple(set(range(data.values.ndim)) - {a}))))
        / data.count
        for a, n in enumerate(data.shape)
    ]
    side = int(_PIXELS ** (1 / data.values.ndim) + 0.5)
    while side >= _SHORTEST:
        lengths = [min(side, n) for n in data.shape]
        if min(lengths) < _SHORTEST:
            return None
        first = [
            min(max(0, round(m - length / 2)), n - length)
            for m, length, n in zip(middle, lengths, data.shape, strict=True)
        ]
        chosen = tuple(slice(f, f + length) for f, length in zip(first, lengths, strict=True))
        if np.count_nonzero(data.weight[chosen]) >= _KNOWN * math.prod(lengths):
            return Data(data.values[chosen], data.weight[chosen]).filled
        side = side * 3 // 4
    return None


def _rings(
    spectrum: NDArray[np.complex128], shape: tuple[int, ...], kernel: Array, size: float
) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """Frequency of rings, power, how many frequencies show noise alone (0: too few), and which."""
    power = np.square(np.abs(spectrum)) / size
    # A kernel larger than the part is wrapped round, as its spectrum at these frequencies is.
    small = np.zeros(shape)
    np.add.at(
        small,
        tuple(index % n for index, n in zip(np.indices(kernel.shape), shape, strict=True)),
        kernel,
    )
    passed = np.square(np.abs(fft.rfftn(small)))
    along = [fft.fftfreq(n) for n in shape[:-1]] + [fft.rfftfreq(shape[-1])]
    grid = np.meshgrid(*along, indexing="ij", sparse=True)
    frequency = np.sqrt(sum(each * each for each in grid))
    number = np.minimum((frequency * 2 * _RINGS).astype(int), _RINGS)
    low = 2 / min(shape)
    through = (passed > _THROUGH) & (frequency > low)
    if not through.any():
        return np.empty(0), np.empty(0), np.empty(0), through
    logs, levels = np.log(frequency[through]), np.log(power[through] / passed[through] + 1e-300)
    steep = logs - logs.mean()
    spread = float(np.dot(steep, steep))
    fall = -float(np.dot(steep, levels)) / spread if spread > 0 else 0.0
    fall = min(2.0, max(0.0, fall))
    scale = float(np.mean(power[through] / passed[through] * frequency[through] ** fall))
    scene = passed * scale / np.maximum(frequency, low) ** fall
    order = np.argsort(scene, axis=None)
    numbers, powers, scenes = number.ravel()[order], power.ravel()[order], scene.ravel()[order]
    rings, seen, count = [], [], []
    where = np.zeros(power.size, np.bool_)
    for ring in range(_RINGS):
        chosen = numbers == ring
        of_ring, of_scene = powers[chosen], scenes[chosen]
        fewest = max(_FEWEST, int(_SHARE * of_ring.size))
        if of_ring.size < fewest:
            continue
        least = float(np.median(of_ring[:fewest])) / math.log(2)
        alone = int(np.searchsorted(of_scene, _OF_SCENE * least))
        rings.append((ring + 0.5) / (2 * _RINGS))
        count.append(alone if alone >= fewest else 0)
        where[order[chosen][: count[-1]]] = True
        seen.append(float(np.median(of_ring[: max(alone, fewest)])) / math.log(2))
    return np.array(rings), np.array(seen), np.array(count), where.reshape(power.shape)
