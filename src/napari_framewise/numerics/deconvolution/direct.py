"""Restorations in one step, where the blur is diagonal: inverse, Wiener, Tikhonov."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from napari_framewise.numerics.deconvolution.data import Data, Step
from napari_framewise.numerics.deconvolution.extension import Array
from napari_framewise.numerics.deconvolution.operators import Blur
from napari_framewise.numerics.deconvolution.spectral import Coefficients, Domain

_HALVINGS = 40
_THROUGH = 0.1


def inverse_transfer(domain: Domain, floor: float) -> Coefficients:
    """One over the transfer function, with a floor under its size.

    ``1 / H`` where ``|H| >= floor``, else ``conj(H) / (|H| floor)``: coefficients below the floor
    are raised by no more than ``1 / floor``. Of a floor of 0 the plain inverse; a coefficient of
    exactly 0, which nothing gives back, stays 0.
    """
    size = np.sqrt(domain.power)
    found: Coefficients = np.zeros_like(domain.transfer)
    below = size * np.maximum(size, floor)
    np.divide(np.conj(domain.transfer), below, out=found, where=size > 0)
    return found


def noise_amplification(domain: Domain, floor: float = 0.0) -> Array:
    """What the inverse multiplies noise by at each frequency: 1 / |H|, frequency 0 in the middle.

    Parameters
    ----------
    domain : Domain
        Of Fourier coefficients.
    floor : float
        Under the size of the transfer function.

    Returns
    -------
    ndarray of the domain's shape
        Infinite where the kernel lets nothing through and there is no floor.

    Examples
    --------
    >>> from napari_framewise.numerics.deconvolution import Settings, prepare
    >>> blur = prepare(np.array([0.2, 0.6, 0.2]), (4,), Settings(method="inverse")).blur
    >>> noise_amplification(blur.domain).round(2).tolist()
    [5.0, 1.67, 1.0, 1.67]
    """
    size = np.sqrt(domain.power)
    known = np.divide(1.0, np.maximum(size, floor), out=np.full(size.shape, np.inf),
                      where=np.maximum(size, floor) > 0)  # fmt: skip
    last = domain.shape[-1]
    mirrored = tuple(-np.arange(length) % length for length in domain.shape[:-1])
    rest = np.arange(last - known.shape[-1], 0, -1)
    whole = np.concatenate([known, known[np.ix_(*mirrored, rest)]], axis=-1)
    return np.fft.fftshift(whole)


def noise_gain(domain: Domain, transfer: Coefficients) -> float:
    """What a filter multiplies the standard deviation of white noise by.

    ``sqrt(mean |G|^2)`` over all frequencies.
    """
    squares = np.square(transfer.real) + np.square(transfer.imag)
    count = math.prod(domain.shape)
    if domain.kind == "cosine":
        return math.sqrt(float(squares.sum()) / count)
    return math.sqrt(float(np.sum(squares * domain.multiplicity)))


def filtered(domain: Domain, image: Array, transfer: Coefficients) -> Array:
    """An image whose coefficients are multiplied by a filter."""
    return domain.inverse(transfer * domain.transform(image))


def wiener_weight(domain: Domain, image: Array, noise: float, weights: Sequence[float]) -> float:
    """The weight at which `tikhonov_transfer` is Wiener's filter.

    ``conj(H) / (|H|^2 + sigma^2 / S)``, sigma the standard deviation of the noise.
    The power spectrum S of the scene is taken to fall as 1 / f^2, as those of photographs do (Field
    1987, J. Opt. Soc. Am. A 4, 2379); its size is that of the coefficients which the kernel lets
    through, the noise taken off.

    Returns
    -------
    float
        Infinite where nothing stands out of the noise.
    """
    rough = domain.roughness(weights)
    seen = domain.transform(image)
    squares = np.square(seen.real) + np.square(seen.imag)
    of_noise = noise**2 * (1 if domain.kind == "cosine" else image.size)
    through = (domain.power > _THROUGH * domain.power.max()) & (rough > 0)
    signal = (squares[through] - of_noise) * rough[through] / domain.power[through]
    size = float(signal.mean()) if signal.size else 0.0
    return of_noise / size if size > 0 else math.inf


def tikhonov_transfer(domain: Domain, weight: float, weights: Sequence[float]) -> Coefficients:
    """``conj(H) / (|H|^2 + weight |D|^2)``: squared differences of neighbours are made small."""
    below = domain.power + weight * domain.roughness(weights)
    return np.divide(
        np.conj(domain.transfer), below, out=np.zeros_like(domain.transfer), where=below > 0
    )


def tikhonov_weight(domain: Domain, image: Array, target: float, weights: Sequence[float]) -> float:
    """The weight at which the residual of `tikhonov_transfer` has a sum of squares.

    The discrepancy principle (Morozov 1966). 0 where even no weight leaves more than that, infinite
    where a flat image leaves less.
    """
    rough = domain.roughness(weights)
    seen = domain.transform(image)
    squares = (np.square(seen.real) + np.square(seen.imag)) * domain.multiplicity

    def residual(weight: float) -> float:
        below = domain.power + weight * rough
        shares = np.divide(weight * rough, below, out=np.ones_like(below), where=below > 0)
        return float(np.sum(squares * shares * shares))

    low, high = -60.0, 60.0
    if residual(math.exp(low)) > target:
        return 0.0
    if residual(math.exp(high)) < target:
        return math.inf
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if residual(math.exp(middle)) < target else (low, middle)
    return math.exp((low + high) / 2)


def direct_step(blur: Blur, data: Data, transfer: Coefficients, weight: float) -> Step:
    """The result of a filter as an iteration."""
    scene = filtered(blur.domain, data.filled, transfer)
    off = data.residual(blur.forward(scene))
    residual = float(np.vdot(off, off))
    return Step(1, scene, residual, residual / 2, 0.0, weight)
