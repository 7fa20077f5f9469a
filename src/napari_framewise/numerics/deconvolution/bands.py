"""Residual of a diagonal restoration against its weight, from a spectrum gathered into bands."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.deconvolution.extension import Array, Floats
from napari_framewise.numerics.deconvolution.spectral import Coefficients

# Bands per octave of |H|^2 / |D|^2, and the octaves about 1 that they span.
_FINE, _OCTAVES = 32, 48
_NEWTON, _CLOSE = 20, 1e-3


@dataclass(frozen=True, eq=False)
class Bands:
    """Coefficients gathered by ``t = |H|^2 / |D|^2``, which alone decides how the weight acts.

    With the weight rho the residual of ``(|H|^2 + rho |D|^2) x = ..`` has the sum of squares ``sum
    s (rho / (t + rho))^2``, with s the squares of the coefficients over ``|D|^4``: gathered once,
    it is known for every rho.

    Attributes
    ----------
    band : (coefficients,) int
        Band of each coefficient; past the last where ``D`` is zero.
    scale : (coefficients,)
        What their squares are multiplied by.
    centres : (bands,)
        t of each band.
    shares : (bands,)
        How many of the coefficients lie in each, as a share of all; those without ``D`` are left
        out.
    """

    band: NDArray[np.intp]
    scale: Floats
    centres: Array
    shares: Array

    @classmethod
    def of(cls, power: Floats, rough: Floats, multiplicity: Array) -> Bands:
        """The bands of a domain: squared sizes of H and D, and how often each coefficient counts.

        Examples
        --------
        >>> bands = Bands.of(np.array([1.0, 0.5]), np.array([0.0, 1.0]), np.ones(1))
        >>> round(bands.residual(bands.spectrum(np.array([3.0, 2.0])), 0.5), 3)
        1.0
        """
        count = 2 * _OCTAVES * _FINE + 1
        with np.errstate(divide="ignore", invalid="ignore"):
            octave = np.log2(power / rough, dtype=np.float32)
            place = np.rint((octave + np.float32(_OCTAVES)) * _FINE)
            scale = multiplicity / (rough * rough)
        band = np.clip(np.nan_to_num(place, neginf=0, posinf=count), 0, count - 1).astype(np.intp)
        band[rough <= 0] = count
        scale = np.where(rough > 0, scale, 0.0).astype(power.dtype)
        centres = np.exp2(np.arange(count) / _FINE - _OCTAVES)
        weights = np.broadcast_to(multiplicity, power.shape).ravel()
        shares = np.bincount(band.ravel(), weights, count + 1)[:count] / weights.sum()
        return cls(band.ravel(), scale.ravel(), centres, shares)

    def spectrum(self, coefficients: Coefficients) -> Array:
        """Squares of coefficients, gathered into the bands."""
        squares = np.square(coefficients.real)
        if np.iscomplexobj(coefficients):
            squares += np.square(coefficients.imag)
        squares = squares.ravel()
        squares *= self.scale
        count = self.centres.size
        return np.asarray(np.bincount(self.band, squares, count + 1)[:count], np.float64)

    def freedom(self, weight: float) -> float:
        """Share of the data's degrees of freedom that a scene of that weight takes up.

        ``mean(|H|^2 / (|H|^2 + rho |D|^2))``: the trace of the filter that makes the blurred scene
        of the data.
        """
        return float(np.dot(self.shares, self.centres / (self.centres + weight)))

    def residual(self, spectrum: Array, weight: float) -> float:
        """Sum of squares of the residual with a weight."""
        shares = weight / (self.centres + weight)
        return float(np.dot(spectrum, shares * shares))

    def weight_for(self, spectrum: Array, target: float, start: float) -> float:
        """The weight at which the residual has a sum of squares; Newton's rule in logarithms."""
        log = math.log(start)
        for _ in range(_NEWTON):
            weight = math.exp(log)
            shares = weight / (self.centres + weight)
            parts = spectrum * shares * shares
            value, slope = float(parts.sum()), 2 * float(np.dot(parts, 1 - shares))
            if value <= 0 or slope <= 0:
                break
            move = math.log(target / value) * value / slope
            log = min(40.0, max(-40.0, log + min(3.0, max(-3.0, move))))
            if abs(move) < _CLOSE:
                break
        return math.exp(log)
