"""Local measures of how much two images differ, over Gaussian windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.compiling import compiled
from napari_framewise.numerics.derivatives import gaussian_taps
from napari_framewise.numerics.difference.kernels import residual_sums
from napari_framewise.numerics.difference.motion import binned, cell_sizes
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
# Times what explains a pixel's squared residual that it counts for at most.
_MOST = 25.0
# Squared differences of images of about one that matching light leaves of equal ones.
_FLAT = 1e-16


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
    def of(cls, weight: FloatArray, sigma: float, *, coarsely: bool = False) -> Windows:
        """Windows over the pixels that have a weight, at every sigma or half of it."""
        factor = max(1, int(sigma if coarsely else sigma // 2))
        made = cls(factor, sigma, weight, np.empty(0))
        return cls(factor, sigma, weight, np.maximum(made._smooth(binned(weight, factor)), 0.0))

    def mean(self, values: FloatArray) -> FloatArray:
        """Mean of values over the pixels with data of each window; 0 where there are none."""
        return self.shared(binned(values * self.weight, self.factor))

    def shared(self, cells: FloatArray) -> FloatArray:
        """The same of means over cells, of values that have their weight."""
        total = self._smooth(cells)
        mean = np.zeros_like(total)
        np.divide(total, self.count, out=mean, where=self.count > 1e-6)
        return mean

    def _smooth(self, cells: FloatArray) -> FloatArray:
        taps = gaussian_taps(self.sigma / self.factor)
        return np.asarray(summed(cells[None], (taps, taps))[0])


def measured(
    reference: FloatArray, image: FloatArray, windows: Windows, measure: Measure, noise: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """A measure of each window, and the structure that it grows with where nothing changed.

    Parameters
    ----------
    reference, image : (y, x) float64
        Brought onto each other; 0 where there are no data.
    windows : Windows
        Where they are compared.
    measure : str
        residual: mean squared difference over the structure, that of a pixel counting for at most
        25 times what explains it; mse, mae: mean squared and absolute
        difference; ncc: 1 minus the local correlation; ssim, luminance, contrast, structure: 1
        minus SSIM or a term of it, with the range of the reference as L; gradient: root mean square
        difference of the sizes of the gradients; histogram: half the L1 distance of the histograms.
    noise : float
        Variance of the difference of both where nothing changed.

    Returns
    -------
    measure, structure, unexplained : (cells) float64
        The structure is ``noise + 0.3 * g``, g the lesser of both images' mean squared gradient.
        Unexplained: the mean squared difference over the structure, whatever the measure.
    """
    energy, steep, other = map(windows.shared, _sums(reference, image, windows, np.inf))
    # What is in one of them alone is no structure that the other was displaced by.
    structure = noise + _REST * np.minimum(steep, other)
    found = _found(reference, image, windows, measure, noise, energy, structure)
    return found, structure, energy / np.maximum(structure, _FLAT)


def _found(
    reference: FloatArray,
    image: FloatArray,
    windows: Windows,
    measure: Measure,
    noise: float,
    energy: FloatArray,
    structure: FloatArray,
) -> FloatArray:
    if measure == "mse":
        return energy
    if measure == "residual":
        # A pixel tells no more than this: else a strong change shows in windows far from it.
        least = noise + float(np.median(structure))
        energy = windows.shared(_sums(reference, image, windows, least)[0])
        return energy / np.maximum(structure, 1e-300)
    if measure == "mae":
        return windows.mean(np.abs(image - reference))
    if measure == "gradient":
        apart = np.hypot(*np.gradient(reference)) - np.hypot(*np.gradient(image))
        return np.sqrt(windows.mean(apart * apart))
    if measure == "histogram":
        return _histograms(reference, image, windows)
    return _moments(reference, image, windows, measure, noise)


def _sums(reference: FloatArray, image: FloatArray, windows: Windows, least: float) -> FloatArray:
    """Mean squared residual, and mean squared gradients of both images, of each cell."""
    factor = windows.factor
    cells = np.zeros((3, *(-(-length // factor) for length in image.shape)))
    kernel = compiled(residual_sums, *["float64/2"] * 3, "int64", *["float64"] * 3, "=float64/3")
    given = (np.ascontiguousarray(each) for each in (reference, image, windows.weight))
    kernel(*given, factor, least, _MOST, _REST, cells)
    cells /= np.multiply.outer(*(cell_sizes(length, factor) for length in image.shape))
    return cells


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
