"""Local measures of how much two images differ, over Gaussian windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.derivatives import gaussian_taps
from napari_framewise.numerics.difference.motion import binned
from napari_framewise.numerics.normalised_convolution import summed

FloatArray = NDArray[np.float64]
Measure: TypeAlias = Literal[
    "residual",
    "mse",
    "mae",
    "ncc",
    "ssim",
    "luminance",
    "contrast",
    "structure",
    "gradient",
    "histogram",
]
# Share of the gradients' energy that a rest of displacement and blur leaves, in pixels squared.
_REST = 0.3
_LEVELS = 16


@dataclass(frozen=True, eq=False)
class Windows:
    """Sums over windows around each cell of a grid that is coarser than the pixels.

    Attributes
    ----------
    factor : int
        Pixels along a side of a cell.
    sigma : float
        Of the windows, in pixels.
    count : (y, x) float64
        Share of pixels with data in the window.
    """

    factor: int
    sigma: float
    weight: FloatArray
    count: FloatArray

    @classmethod
    def of(cls, weight: FloatArray, sigma: float) -> Windows:
        """Windows over the pixels that have a weight."""
        factor = max(1, int(sigma // 2))
        made = cls(factor, sigma, weight, np.empty(0))
        return cls(factor, sigma, weight, np.maximum(made._sum(weight), 0.0))

    def mean(self, values: FloatArray) -> FloatArray:
        """Mean of values over the pixels with data of each window; 0 where there are none."""
        total = self._sum(values * self.weight)
        mean = np.zeros_like(total)
        np.divide(total, self.count, out=mean, where=self.count > 1e-6)
        return mean

    def _sum(self, values: FloatArray) -> FloatArray:
        small = binned(values, self.factor)
        taps = gaussian_taps(self.sigma / self.factor)
        return np.asarray(summed(small[None], (taps, taps))[0])


def measured(
    reference: FloatArray, image: FloatArray, windows: Windows, measure: Measure, noise: float
) -> tuple[FloatArray, FloatArray]:
    """A measure of each window, and the structure that it grows with where nothing changed.

    Parameters
    ----------
    reference, image : (y, x) float64
        Brought onto each other; 0 where there are no data.
    windows : Windows
        Where they are compared.
    measure : str
        residual: mean squared difference over the structure; mse, mae: mean squared and absolute
        difference; ncc: 1 minus the local correlation; ssim, luminance, contrast, structure: 1
        minus SSIM or a term of it, with the range of the reference as L; gradient: root mean square
        difference of the sizes of the gradients; histogram: half the L1 distance of the histograms.
    noise : float
        Variance of the difference of both where nothing changed.

    Returns
    -------
    measure, structure : (cells) float64
        The structure is ``noise + 0.3 * g``, g the lesser of both images' mean squared gradient.
    """
    gy, gx = _slopes(reference)
    hy, hx = _slopes(image)
    steep, other = gy * gy + gx * gx, hy * hy + hx * hx
    # What is in one of them alone is no structure that the other was displaced by.
    structure = noise + _REST * np.minimum(windows.mean(steep), windows.mean(other))
    away = image - reference
    if measure in ("residual", "mse"):
        energy = windows.mean(away * away)
        return (energy / np.maximum(structure, 1e-300) if measure == "residual" else energy), (
            structure
        )
    if measure == "mae":
        return windows.mean(np.abs(away)), structure
    if measure == "gradient":
        apart = np.sqrt(steep) - np.sqrt(other)
        return np.sqrt(windows.mean(apart * apart)), structure
    if measure == "histogram":
        return _histograms(reference, image, windows), structure
    return _moments(reference, image, windows, measure, noise), structure


def _moments(
    a: FloatArray, b: FloatArray, windows: Windows, measure: Measure, noise: float
) -> FloatArray:
    known = windows.weight > 0
    middle = float(a[known].mean()) if known.any() else 0.0
    a, b = a - middle, b - middle
    ma, mb = windows.mean(a), windows.mean(b)
    va = np.maximum(windows.mean(a * a) - ma * ma, 0.0)
    vb = np.maximum(windows.mean(b * b) - mb * mb, 0.0)
    both = windows.mean(a * b) - ma * mb
    if measure == "ncc":
        steady = 16 * noise + 1e-20
        return np.asarray(1 - (both + steady) / np.sqrt((va + steady) * (vb + steady)))
    peak = float(np.ptp(a[known])) if known.any() else 1.0
    c1, c2 = (0.01 * peak) ** 2 + 1e-300, (0.03 * peak) ** 2 + 1e-300
    ma, mb = ma + middle, mb + middle
    deviations = np.sqrt(va * vb)
    terms = {
        "luminance": (2 * ma * mb + c1) / (ma * ma + mb * mb + c1),
        "contrast": (2 * deviations + c2) / (va + vb + c2),
        "structure": (both + c2 / 2) / (deviations + c2 / 2),
    }
    if measure == "ssim":
        return np.asarray(1 - terms["luminance"] * terms["contrast"] * terms["structure"])
    return np.asarray(1 - terms[measure])


def _histograms(a: FloatArray, b: FloatArray, windows: Windows) -> FloatArray:
    """Half the L1 distance of the local histograms, over levels that hold equally many pixels."""
    known = windows.weight > 0
    if not known.any():
        return np.zeros_like(windows.count)
    edges = np.quantile(a[known], np.linspace(0, 1, _LEVELS + 1)[1:-1])
    first, second = np.searchsorted(edges, a), np.searchsorted(edges, b)
    apart = np.zeros_like(windows.count)
    for level in range(_LEVELS):
        apart += np.abs(windows.mean((first == level).astype(float) - (second == level)))
    return apart / 2


def _slopes(image: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Central differences along rows and columns."""
    return np.gradient(image, axis=0), np.gradient(image, axis=1)
