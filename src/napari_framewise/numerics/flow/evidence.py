"""How far the flow of a pair can be trusted: tensor, residual, forward-backward distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.derivatives import gaussian_taps, gradient, smooth
from napari_framewise.numerics.flow.levels import (
    FlowSettings,
    Planes,
    Prepared,
    local_equations,
    second_spline,
    spread_of,
)
from napari_framewise.numerics.interpolation import spline, warp

BoolArray = NDArray[np.bool_]
# The window that evidence is collected over, in pixels, and the error of a direction that counts
# as known.
_WINDOW = 2.0
_KNOWN = 0.2
_KEPT = 0.1
_LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the images say of the flow around each pixel, within a Gaussian window of sigma 2 px.

    Attributes
    ----------
    tensor : (ndim (ndim + 1) / 2, *grid) float32
        Structure tensor per pixel of the window: yy, yx, xx (zz, zy, zx, yy, yx, xx), in squared
        intensities per squared pixel, summed over channels.
    residual : (*grid) float32
        Root mean square of what the warped second frame leaves of the first, in intensities.
    noise : float
        The same for the whole image, from its median.
    floor : float
        What that noise alone adds to each eigenvalue.
    usable : (*grid) bool
        Where both frames have data.
    """

    tensor: Planes
    residual: Planes
    noise: float
    floor: float
    usable: BoolArray

    @property
    def ndim(self) -> int:
        """Axes of the grid."""
        return self.usable.ndim

    @property
    def pixels(self) -> float:
        """Pixels that a window is worth, ``(4 pi sigma^2)^(ndim / 2)``."""
        return float((4 * np.pi * _WINDOW**2) ** (self.ndim / 2))

    def matrices(self) -> NDArray[np.float64]:
        """The tensors as symmetric matrices (*grid, ndim, ndim)."""
        full: NDArray[np.float64] = np.empty((*self.usable.shape, self.ndim, self.ndim))
        rows, columns = np.triu_indices(self.ndim)
        for place, (row, column) in enumerate(zip(rows, columns, strict=True)):
            full[..., row, column] = full[..., column, row] = self.tensor[place]
        return full

    def eigenvalues(self) -> NDArray[np.float64]:
        """Eigenvalues of the tensor (ndim, *grid), the smallest first."""
        if self.ndim == 2:
            a, b, c = self.tensor.astype(np.float64)
            middle, half = (a + c) / 2, np.hypot((a - c) / 2, b)
            return np.asarray([np.maximum(middle - half, 0), middle + half])
        values = np.moveaxis(np.linalg.eigvalsh(self.matrices()), -1, 0)
        return np.asarray(np.maximum(values, 0), np.float64)

    def structure(self) -> NDArray[np.uint8]:
        """Directions in which the flow is known: 0 flat, 1 edge, 2 corner (3 in a volume).

        A direction is known where the noise of the whole image leaves it uncertain by less than
        0.2 px: on an edge only the flow across it is.
        """
        least = self.noise**2 / (self.pixels * _KNOWN**2)
        known = (self.eigenvalues() - self.floor > max(least, _LEAST)).sum(axis=0)
        return np.where(self.usable, known, 0).astype(np.uint8)

    def standard_error(self, *, local: bool = True) -> Planes:
        """Standard error of the flow in its least certain direction, in pixels; inf without data.

        ``sqrt(sigma^2 / (N lambda))`` with N pixels in the window, the smallest eigenvalue lambda
        less what noise adds to it (at most 0.9 of it), and sigma the window's own residual or, not
        `local`, that of the whole image.
        """
        sigma = self.residual.astype(np.float64) if local else np.float64(self.noise)
        smallest = self.pixels * self._cleared(self.eigenvalues()[0])
        sure = self.usable & (smallest > _LEAST)
        error = sigma / np.sqrt(np.where(sure, smallest, 1))
        return np.where(sure, error, np.inf).astype(np.float32)

    def covariance(self) -> Planes:
        """Covariance of the flow, laid out as the tensor, in squared pixels; inf where unknown.

        ``sigma^2 (N T)^-1``: it takes the residuals for independent, and leaves out that
        neighbours share a window and that smoothing ties them.
        """
        rows, columns = np.triu_indices(self.ndim)
        smallest = self.eigenvalues()[0]
        known = self.usable & (smallest > _LEAST)
        out = np.full(self.tensor.shape, np.inf, np.float32)
        identity = np.eye(self.ndim)
        noise = (smallest - self._cleared(smallest))[known][:, None, None]
        matrices = self.pixels * (self.matrices()[known] - noise * identity)
        scaled = self.residual[known].astype(np.float64)[:, None, None] ** 2 * identity
        solved = np.linalg.solve(matrices, scaled)
        out[:, known] = solved[:, rows, columns].T
        return out

    def _cleared(self, eigenvalue: NDArray[np.float64]) -> NDArray[np.float64]:
        # Without a lower limit all nearly flat pixels would be equally uncertain, and unranked.
        return np.asarray(np.maximum(eigenvalue - self.floor, _KEPT * eigenvalue))

    def known_part(self, displacement: Planes) -> Planes:
        """The flow's part along the directions that are known: across an edge, none where flat."""
        _, vectors = np.linalg.eigh(self.matrices())
        count = self.structure()[..., None]
        kept = np.arange(self.ndim) >= self.ndim - count
        along = np.einsum("...ij,i...->...j", vectors, displacement.astype(np.float64))
        part: Planes = np.einsum("...ij,...j->i...", vectors, along * kept).astype(np.float32)
        return part


def evidence(pair: Prepared, flow: Planes, settings: FlowSettings) -> Evidence:
    """Collect it at the finest level of a pair."""
    first, ndim = pair.first[0], len(flow)
    slopes = gradient(first.planes, settings.gradient_sigma, ndim=ndim)
    image = second_spline(pair.second[0], settings)
    equations, residual, usable = local_equations(first, slopes, image, flow, settings, None)
    squares = equations[-1:] * np.mean(residual * residual, axis=0)
    products = ndim * (ndim + 1) // 2
    collected = np.concatenate([equations[:products], equations[-1:], squares])
    summed = smooth(collected, _WINDOW, ndim=ndim, truncate=3.0)
    left = summed[-1] / np.maximum(summed[-2], np.float32(_LEAST))
    noise = spread_of(residual, usable) * pair.spread
    # The residual holds the noise of both frames, their mean gradient half of one's.
    sigma = settings.gradient_sigma
    passed = float(np.sum(gaussian_taps(sigma, 1) ** 2))
    passed *= float(np.sum(gaussian_taps(sigma) ** 2)) ** (ndim - 1)
    return Evidence(
        tensor=summed[:products] * np.float32(pair.spread**2),
        residual=np.sqrt(np.maximum(left, 0)) * np.float32(pair.spread),
        noise=noise,
        floor=len(residual) * passed * noise**2 / 4,
        usable=usable,
    )


def there_and_back(forward: Planes, backward: Planes) -> Planes:
    """Distance in pixels from where a pixel ends that follows one flow and then the other.

    NaN where it leaves the frame.
    """
    returned, _, inside = warp(spline(backward, order=1), forward)
    distance: NDArray[Any] = np.sqrt(np.sum((forward + returned) ** 2, axis=0))
    return np.where(inside, distance, np.nan).astype(np.float32)
