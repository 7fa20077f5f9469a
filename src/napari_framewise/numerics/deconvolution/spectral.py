"""Domains on which a blur multiplies coefficients: Fourier, and cosine for symmetric kernels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from napari_framewise.numerics.deconvolution.extension import Array, Floats

Coefficients: TypeAlias = NDArray[Any]
_SAME = 1e-12


@dataclass(frozen=True, eq=False)
class Domain:
    """Pixels on which a blur is diagonal: ``blurred = inverse(transfer * transform(image))``.

    Attributes
    ----------
    shape : tuple of int
        Of the pixels.
    kind : {"fourier", "cosine"}
        The discrete Fourier transform, of images that go on periodically; or the orthonormal
        DCT-II, of images that go on by half-sample reflection (Ng, Chan and Tang 1999, SIAM J. Sci.
        Comput. 21, 851-866).
    transfer : ndarray
        What each coefficient is multiplied by; real for cosines.
    """

    shape: tuple[int, ...]
    kind: Literal["fourier", "cosine"]
    transfer: Coefficients

    def transform(self, image: Floats) -> Coefficients:
        """The coefficients of an image."""
        if self.kind == "cosine":
            return np.asarray(fft.dctn(image, norm="ortho"))
        return np.asarray(fft.rfftn(image))

    def inverse(self, coefficients: Coefficients) -> Floats:
        """The image that has these coefficients."""
        if self.kind == "cosine":
            return np.asarray(fft.idctn(coefficients, norm="ortho"))
        return np.asarray(fft.irfftn(coefficients, self.shape))

    def blurred(self, image: Floats) -> Floats:
        """The image, blurred."""
        return self.inverse(self.transfer * self.transform(image))

    def correlated(self, image: Floats) -> Floats:
        """The adjoint of `blurred`."""
        return self.inverse(self.adjoint_transfer * self.transform(image))

    @cached_property
    def adjoint_transfer(self) -> Coefficients:
        """The conjugate of the transfer function."""
        return np.conj(self.transfer)

    @cached_property
    def power(self) -> Array:
        """Squared size of the transfer function."""
        return np.asarray(np.square(self.transfer.real) + np.square(self.transfer.imag))

    @cached_property
    def single(self) -> Domain:
        """The same with coefficients of single precision, for images of single precision."""
        kind = np.complex64 if np.iscomplexobj(self.transfer) else np.float32
        return Domain(self.shape, self.kind, self.transfer.astype(kind))

    @property
    def mean_gain(self) -> float:
        """What the blur multiplies a flat image by: the kernel's sum."""
        return float(self.transfer.flat[0].real)

    def roughness(self, weights: Sequence[float]) -> Array:
        """Eigenvalues of ``D' D``, D the differences of neighbours times the weight of an axis."""
        total = np.zeros(())
        for axis, (length, weight) in enumerate(zip(self.shape, weights, strict=True)):
            if self.kind == "cosine":
                angle = np.arange(length) / (2 * length)
            elif axis == len(self.shape) - 1:
                angle = np.arange(length // 2 + 1) / length
            else:
                angle = np.arange(length) / length
            total = np.add.outer(total, np.square(2 * weight * np.sin(math.pi * angle)))
        return total

    @cached_property
    def multiplicity(self) -> Array:
        """How often each coefficient counts in `energy`: twice where its conjugate is left out."""
        if self.kind == "cosine":
            return np.ones((1,) * len(self.shape))
        last = self.shape[-1]
        counts = np.full(last // 2 + 1, 2.0)
        counts[0] = 1.0
        if last % 2 == 0:
            counts[-1] = 1.0
        return counts / math.prod(self.shape)

    def energy(self, squares: Array) -> float:
        """Sum of squares of the pixels of an image, from those of its coefficients."""
        return float(np.sum(squares * self.multiplicity))


def fourier_domain(kernel: Array, shape: tuple[int, ...]) -> Domain:
    """The periodic domain of a shape, for a kernel whose middle pixel is its origin.

    A kernel that is larger than the domain goes round it.
    """
    return Domain(shape, "fourier", np.asarray(fft.rfftn(_wrapped(kernel, shape))))


def cosine_domain(kernel: Array, shape: tuple[int, ...]) -> Domain:
    """The reflecting domain of a shape, for a kernel that is symmetric along every axis.

    The eigenvalues are samples of the kernel's real transfer function at ``pi k / N``: those of the
    periodic domain of twice the size.

    Raises
    ------
    ValueError
        Where the kernel is not symmetric along every axis.
    """
    if not is_symmetric(kernel):
        raise ValueError(
            "The kernel is not symmetric along every axis; cosines diagonalise symmetric ones only."
        )
    doubled = fft.rfftn(_wrapped(kernel, tuple(2 * length for length in shape)))
    return Domain(shape, "cosine", np.ascontiguousarray(doubled.real[tuple(map(slice, shape))]))


def is_symmetric(kernel: Array) -> bool:
    """Whether a kernel of odd shape is its own mirror image along every axis.

    Examples
    --------
    >>> is_symmetric(np.array([1.0, 2.0, 1.0])), is_symmetric(np.array([1.0, 2.0, 0.0]))
    (True, False)
    """
    size = float(np.abs(kernel).max())
    return all(
        float(np.abs(kernel - np.flip(kernel, axis)).max()) <= _SAME * size
        for axis in range(kernel.ndim)
    )


def fast_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """The next lengths whose Fourier transform is fast."""
    last = len(shape) - 1
    return tuple(
        int(fft.next_fast_len(int(length), real=axis == last)) for axis, length in enumerate(shape)
    )


def _wrapped(kernel: Array, shape: tuple[int, ...]) -> Array:
    """A kernel on a periodic domain, its middle at the first pixel."""
    placed = np.zeros(shape)
    places = [
        (np.arange(size) - size // 2) % length
        for size, length in zip(kernel.shape, shape, strict=True)
    ]
    np.add.at(placed, np.ix_(*places), kernel)
    return placed
