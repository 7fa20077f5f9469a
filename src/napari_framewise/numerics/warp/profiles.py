"""Radial weights of a footprint, over the distance from its centre in pixels of the result."""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike, NDArray
from scipy import special

FloatArray: TypeAlias = NDArray[np.float64]
Profile: TypeAlias = Literal["jinc", "robidoux", "mitchell"]
PROFILES: tuple[Profile, ...] = get_args(Profile)

_DEGREE = 10
_NODES = 512
_ZEROS = special.jn_zeros(1, 3) / np.pi
# B and C of Mitchell and Netravali's cubics; Robidoux's nearly keeps lines along rows and columns.
_CUBICS = {"mitchell": (1 / 3, 1 / 3), "robidoux": (0.37821575509399867, 0.31089212245300067)}


class Weights(NamedTuple):
    """A radial profile as kernels take it.

    Attributes
    ----------
    terms : (11,) ndarray
        Of a polynomial of the squared distance over that of the end; or, of a cubic, four of the
        distance to half of the end, and four beyond.
    cubic : bool
        Which of the two.
    radius : float
        Where it ends, in pixels of the result.
    volume : float
        Its integral over the plane.
    """

    terms: FloatArray
    cubic: bool
    radius: float
    volume: float


def profile(name: Profile, distance: ArrayLike) -> FloatArray:
    """Weight at a distance from the centre, in pixels of the result.

    Parameters
    ----------
    name : {"jinc", "robidoux", "mitchell"}
        "jinc": ``2 J1(pi r) / (pi r)``, the transform of a disc, to its third zero at 3.238,
        windowed by its own first lobe. The others: cubics of Mitchell & Netravali (1988), to 2,
        with B = C = 1/3, or Robidoux's B = 0.3782, C = 0.3109.
    distance : array_like
        Not negative.

    Raises
    ------
    ValueError
        For another name.

    Examples
    --------
    >>> profile("jinc", [0.0, 4.0]).tolist()
    [1.0, 0.0]
    """
    r = np.asarray(distance, np.float64)
    if name == "jinc":
        whole = _jinc(r) * _jinc(r * _ZEROS[0] / _ZEROS[2])
        return np.asarray(np.where(r < _ZEROS[2], whole, 0.0))
    inner, outer = (np.polynomial.polynomial.polyval(r, terms) for terms in _pieces(name))
    return np.asarray(np.where(r < 1, inner, np.where(r < 2, outer, 0.0)))


@cache
def weights_of(name: Profile) -> Weights:
    """A profile as kernels take it; the polynomial comes within 2e-6 of "jinc".

    Examples
    --------
    >>> round(weights_of("jinc").radius, 4), weights_of("mitchell").radius
    (3.2383, 2.0)
    """
    if name != "jinc":
        inner, outer = _pieces(name)
        terms = np.concatenate([inner, outer, np.zeros(3)])
        powers = np.arange(4) + 2
        volume = 2 * np.pi * (inner @ (1 / powers) + outer @ ((2.0**powers - 1) / powers))
        return Weights(terms, True, 2.0, float(volume))
    radius = float(_ZEROS[2])
    nodes = chebyshev.chebpts1(_NODES)
    squared = (nodes + 1) / 2
    fit = chebyshev.Chebyshev.fit(
        squared, profile("jinc", radius * np.sqrt(squared)), _DEGREE, domain=[0, 1]
    )
    whole = fit.convert(kind=np.polynomial.Polynomial, domain=[-1, 1], window=[-1, 1])
    terms = np.array(whole.coef, np.float64)
    volume = np.pi * radius**2 * (terms @ (1 / (np.arange(_DEGREE + 1) + 1)))
    return Weights(terms, False, radius, float(volume))


def _pieces(name: Profile) -> tuple[FloatArray, FloatArray]:
    """Terms of a cubic to 1 and from there to 2."""
    if name not in _CUBICS:
        raise ValueError(f"The profile {name!r} was asked for; give one of {', '.join(PROFILES)}.")
    b, c = _CUBICS[name]
    inner = [6 - 2 * b, 0, -18 + 12 * b + 6 * c, 12 - 9 * b - 6 * c]
    outer = [8 * b + 24 * c, -12 * b - 48 * c, 6 * b + 30 * c, -b - 6 * c]
    return np.array(inner) / 6, np.array(outer) / 6


def _jinc(r: FloatArray) -> FloatArray:
    at = np.pi * np.where(r == 0, 1.0, r)
    return np.where(r == 0, 1.0, 2 * special.j1(at) / at)
