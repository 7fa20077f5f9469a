"""What colorization makes small: how far colours are from the mean of their neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.colorization.affinity import Affinity, weighted, windows_of

FloatArray = NDArray[np.float64]


def loss(weights: Affinity, chroma: FloatArray) -> float:
    """``J(U) = sum_r (U_r - sum_s w_rs U_s)^2`` over all pixels with data (Levin et al., eq. 1).

    Parameters
    ----------
    weights : Affinity
        As `affinity` gives them.
    chroma : (*grid) or (*grid, c)
        U; what stands in pixels without data does not count.

    Examples
    --------
    >>> from napari_framewise.numerics.colorization import affinity
    >>> loss(affinity(np.eye(3)), np.ones((3, 3))) < 1e-30
    True
    """
    return float(np.sum(_residual(weights, chroma) ** 2))


def loss_gradient(weights: Affinity, chroma: FloatArray) -> FloatArray:
    """``dJ/dU = 2 (I - W)^T (I - W) U``, of the shape of U; 0 in pixels without data.

    Examples
    --------
    >>> from napari_framewise.numerics.colorization import affinity
    >>> step = np.zeros((1, 2)); step[0, 1] = 1.0
    >>> loss_gradient(affinity(np.zeros((1, 2))), step).tolist()
    [[-4.0, 4.0]]
    """
    residual = _residual(weights, chroma)
    further = residual.ndim - weights.known.ndim
    gradient = residual.copy()
    for offset, each in zip(weights.offsets, weights.weights, strict=True):
        here, there = windows_of(offset, weights.known.shape)
        gradient[there] -= each[(*here, *(None,) * further)] * residual[here]
    return 2 * gradient


def _residual(weights: Affinity, chroma: FloatArray) -> FloatArray:
    """U - W U, 0 without data."""
    known = weights.known[(..., *(None,) * (np.ndim(chroma) - weights.known.ndim))]
    values = np.where(known, np.asarray(chroma, np.float64), 0.0)
    return np.where(known, values - weighted(weights, values), 0.0)
