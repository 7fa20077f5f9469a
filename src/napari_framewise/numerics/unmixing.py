"""Abundances per pixel from a stack of bands and known spectra."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics._mixing_design import Constraint, Design

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Unmixing:
    """Abundance maps of a tile.

    Attributes
    ----------
    abundances, errors : (K, *pixels) float32 or float64
        Share of each spectrum and its classical standard error; NaN where a bound holds it.
    residual : (*pixels) float32 or float64
        Root mean square of the residual over the bands.
    at_bound : (K, *pixels) bool
        The abundance is held by an active bound.
    status : (*pixels) uint8
        Bits of `mixing.Status`.
    """

    abundances: NDArray[Any]
    errors: NDArray[Any]
    residual: NDArray[Any]
    at_bound: NDArray[np.bool_]
    status: NDArray[np.uint8]


def prepare_spectra(
    spectra: ArrayLike,
    *,
    constraint: Constraint = "fully_constrained",
    bounds: tuple[ArrayLike, ArrayLike] | None = None,
    offset: bool = False,
    weights: ArrayLike | None = None,
) -> Design:
    """Design for spectra ``(K, band)``; flat and zero spectra are data here."""
    raise NotImplementedError


def unmix(cube: ArrayLike, design: Design) -> Unmixing:
    """Unmix a tile ``(band, *pixels)``, read as it lies, without transposing it."""
    raise NotImplementedError
