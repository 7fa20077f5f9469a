"""Tone mapping: scenes of a high dynamic range brought to the contrast of a display.

The base of the logarithm of luminance, by a bilateral filter, is compressed; its detail and the
colours stay (Durand and Dorsey, 2002, *ACM Trans. Graph.* 21, 257-266).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.bilateral import bilateral_filter, reach

WEIGHTS = (0.2126, 0.7152, 0.0722)
"""Of red, green and blue in luminance (ITU-R BT.709)."""
# A grid of two cells in a sigma: some 70 dB, far below what a display shows.
_CELLS = 2


@dataclass(frozen=True)
class Tones:
    """How luminance is mapped.

    Attributes
    ----------
    sigma : tuple of float
        Of the bilateral filter along each axis, in pixels.
    range_sigma : float
        Of its range, in decades of luminance.
    low, high : float
        Luminance of the darkest and the brightest base: ``high / low`` becomes `contrast`, and
        `high` becomes `exposure`.
    floor : float
        Luminance below this counts as this.
    contrast : float
        Asked for.
    gamma : float
        Of the display: values are raised to ``1 / gamma`` at the end; 1 leaves light linear.
    exposure : float
        What light is multiplied by before that, so that detail on the brightest base is seen too.
    """

    sigma: tuple[float, ...]
    range_sigma: float
    low: float
    high: float
    floor: float
    contrast: float = 5.0
    gamma: float = 2.2
    exposure: float = 1.0

    @property
    def factor(self) -> float:
        """By which decades of the base shrink; 1 where there is less than the contrast asked for.

        Examples
        --------
        >>> round(Tones((2.0, 2.0), 0.4, 1e-3, 1e2, 1e-4, contrast=10).factor, 3)
        0.2
        """
        decades = math.log10(self.high / self.low)
        return min(1.0, math.log10(self.contrast) / decades) if decades > 0 else 1.0

    @property
    def reach(self) -> int:
        """How many pixels beyond its own place a pixel depends on."""
        return reach(self.sigma, _CELLS)


def luminance(frames: NDArray[Any]) -> NDArray[np.float64]:
    """Luminance of frames (..., c): the channel itself, or weighted red, green and blue.

    Examples
    --------
    >>> float(luminance(np.array([1.0, 1.0, 1.0])).round(6))
    1.0
    """
    if frames.shape[-1] < len(WEIGHTS):
        return np.asarray(frames[..., 0], np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(frames[..., :3].astype(np.float64) @ np.array(WEIGHTS))


def floor_of(light: NDArray[np.float64], share: float = 0.001) -> float:
    """The luminance that this share of the positive pixels falls short of; NaN where there is none.

    Examples
    --------
    >>> round(floor_of(np.array([-1.0, 0.0, 2.0, 2.0, 2.0])), 6)
    2.0
    """
    positive = light[np.isfinite(light) & (light > 0)]
    return float(np.quantile(positive, share)) if positive.size else math.nan


def base_of(
    frames: NDArray[Any],
    sigma: Sequence[float],
    range_sigma: float,
    floor: float,
    unit: float,
    rows: tuple[int, int] | None = None,
    start: int = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logarithm of luminance over `unit` and its base, in decades.

    Parameters
    ----------
    frames : (n, y, x, c) or (n, z, y, x, c)
        Linear light; NaN is no data.
    sigma, range_sigma, floor
        As of `Tones`.
    unit : float
        A luminance of the data, so that data in other units give the same.
    rows, start
        As of `bilateral_filter`.

    Returns
    -------
    tuple of (n, (z,) rows, x) float64
        NaN where there are no data.

    Examples
    --------
    >>> light, base = base_of(np.full((1, 4, 4, 1), 100.0), (1.0, 1.0), 0.4, 1e-3, 1.0)
    >>> float(light[0, 0, 0]), float(base[0, 0, 0].round(9))
    (2.0, 2.0)
    """
    light = luminance(frames)
    decades = np.log10(np.maximum(light / unit, floor / unit))
    decades = np.where(np.isfinite(light), decades, np.nan)
    asked = (0, frames.shape[-3]) if rows is None else rows
    base = bilateral_filter(
        decades[..., None], sigma, range_sigma, per_sigma=_CELLS, rows=asked, start=start
    )
    return decades[..., slice(*asked), :], np.asarray(base[..., 0], np.float64)


def tone_mapped(
    frames: NDArray[Any],
    tones: Tones,
    rows: tuple[int, int] | None = None,
    start: int = 0,
) -> NDArray[np.float32]:
    """Frames for a display: luminance with its base compressed, colours as they are.

    With L the logarithm of luminance, B its base and ``s`` the factor that takes the base's decades
    to ``log10(contrast)``: ``out = 10^(s (B - log10 high) + L - B)``, and each component in
    proportion, times the exposure; then ``out^(1 / gamma)``, from 0 to 1.

    Parameters
    ----------
    frames : (n, y, x, c) or (n, z, y, x, c) real
        Linear light; c = 1, 3 (red, green, blue) or 4 (with an opacity, which stays). Negative
        components become 0.
    tones : Tones
        The mapping.
    rows, start
        As of `bilateral_filter`.

    Returns
    -------
    (n, (z,) rows, x, c) float32
        From 0 to 1; NaN where any component has no data.

    Examples
    --------
    >>> scene = np.repeat([[0.01] * 8 + [10.0] * 8], 4, axis=0)[None, ..., None]
    >>> shown = tone_mapped(scene, Tones((2.0, 2.0), 0.4, 0.01, 10.0, 1e-3, gamma=1.0))
    >>> float((shown.max() / shown.min()).round(3))
    5.0
    """
    asked = (0, frames.shape[-3]) if rows is None else rows
    gain = _gain(frames, tones, asked, start)
    kept = frames[..., slice(*asked), :, :]
    light = _components(kept) * gain[..., None]
    out = np.empty(kept.shape, np.float32)
    out[..., : light.shape[-1]] = np.clip(light, 0.0, 1.0) ** (1 / tones.gamma)
    if kept.shape[-1] > light.shape[-1]:
        opacity = kept[..., light.shape[-1] :]
        most = np.iinfo(opacity.dtype).max if opacity.dtype.kind in "ui" else 1
        out[..., light.shape[-1] :] = opacity / most
    return np.where(np.isnan(gain)[..., None], np.float32(np.nan), out)


def exposure_for(frames: NDArray[Any], tones: Tones, share: float = 0.001) -> float:
    """The exposure at which this share of the pixels is brighter than a display; NaN without light.

    Examples
    --------
    >>> scene = np.array([[0.5, 1.0, 2.0, 4.0]])[None, ..., None]
    >>> tones = Tones((0.0, 0.0), 0.4, 0.5, 4.0, 0.1, contrast=100)
    >>> round(exposure_for(scene, tones, 0.0), 6)
    1.0
    """
    gain = _gain(frames, tones, (0, frames.shape[-3]), 0)
    light = _components(frames).max(axis=-1) * gain
    lit = light[np.isfinite(light) & (light > 0)]
    return tones.exposure / float(np.quantile(lit, 1 - share)) if lit.size else math.nan


def _gain(
    frames: NDArray[Any], tones: Tones, rows: tuple[int, int], start: int
) -> NDArray[np.float64]:
    """What light is multiplied by; NaN where there are no data."""
    unit = tones.high
    decades, base = base_of(frames, tones.sigma, tones.range_sigma, tones.floor, unit, rows, start)
    shown = tones.factor * base + (decades - base)
    # Components below the floor go in proportion as well.
    return np.asarray(10.0 ** (shown - decades) * (tones.exposure / unit))


def _components(frames: NDArray[Any]) -> NDArray[np.float64]:
    """Without the opacity."""
    return np.asarray(frames[..., : min(frames.shape[-1], 3)], np.float64)
