"""The blur of an image as an operator: forward, adjoint, and the domain where it is diagonal.

Kept apart from the solvers, as PyLops keeps them (Ravasi and Vasconcelos 2020, SoftwareX 11,
100361).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from napari_framewise.numerics.deconvolution.extension import (
    Array,
    Boundary,
    Floats,
    extended,
    extended_adjoint,
)
from napari_framewise.numerics.deconvolution.spectral import (
    Domain,
    cosine_domain,
    fast_shape,
    fourier_domain,
    is_symmetric,
)


@dataclass(frozen=True, eq=False)
class Blur:
    """``data = forward(scene)``: convolution with a kernel, seen through the frame of the camera.

    ``forward`` is ``crop(K place(extend(scene)))``: the scene goes on past its border, is placed on
    a periodic domain on which the convolution K multiplies coefficients, and what the camera saw is
    cut out. Where the border is periodic, or reflects and the kernel is symmetric, K alone is left
    (`diagonal`).

    Attributes
    ----------
    shape : tuple of int
        Of the scene: of the data, with the reach of the kernel on either side where the border is
        unknown.
    data_shape : tuple of int
        Of the data.
    reach : tuple of int
        Half the size of the kernel along each axis.
    boundary : str
        What the scene is past its border.
    domain : Domain
        Where the blur multiplies coefficients.
    """

    shape: tuple[int, ...]
    data_shape: tuple[int, ...]
    reach: tuple[int, ...]
    boundary: Boundary
    domain: Domain

    @property
    def diagonal(self) -> bool:
        """Whether scene, data and domain are one grid, so that the blur itself is diagonal."""
        return self.domain.shape == self.shape == self.data_shape and (
            self.boundary == "periodic" or self.domain.kind == "cosine"
        )

    @property
    def window(self) -> tuple[slice, ...]:
        """The data within the domain."""
        if self.diagonal:
            return tuple(slice(0, length) for length in self.shape)
        starts = zip(self.reach, self.data_shape, strict=True)
        return tuple(slice(start, start + length) for start, length in starts)

    @property
    def scene_window(self) -> tuple[slice, ...]:
        """The scene within the domain."""
        if self.boundary == "unknown":
            return tuple(slice(0, length) for length in self.shape)
        return self.window

    @property
    def data_in_scene(self) -> tuple[slice, ...]:
        """The pixels of the data within the scene."""
        if self.boundary == "unknown":
            return self.window
        return tuple(slice(0, length) for length in self.shape)

    def place(self, scene: Floats) -> Floats:
        """The scene with what it is past its border, on the domain."""
        if self.diagonal:
            return scene
        reach = (0,) * len(self.shape) if self.boundary == "unknown" else self.reach
        whole = extended(scene, reach, self.boundary)
        if whole.shape == self.domain.shape:
            return whole
        placed = np.zeros(self.domain.shape, scene.dtype)
        placed[tuple(map(slice, whole.shape))] = whole
        return placed

    def place_adjoint(self, placed: Floats) -> Floats:
        """The adjoint of `place`."""
        if self.diagonal:
            return placed
        if self.boundary == "unknown":
            return placed[tuple(map(slice, self.shape))]
        ends = [length + 2 * r for length, r in zip(self.shape, self.reach, strict=True)]
        return extended_adjoint(placed[tuple(map(slice, ends))], self.reach, self.boundary)

    def forward(self, scene: Floats) -> Floats:
        """The data that a scene gives."""
        return self.domain.blurred(self.place(scene))[self.window]

    def adjoint(self, data: Floats) -> Floats:
        """The adjoint of `forward`: ``<forward(x), y> = <x, adjoint(y)>``."""
        if self.diagonal:
            return self.domain.correlated(data)
        placed = np.zeros(self.domain.shape, data.dtype)
        placed[self.window] = data
        return self.place_adjoint(self.domain.correlated(placed))

    def start(self, data: Array) -> Array:
        """The data as a first scene, its border repeated where the scene is larger."""
        if self.shape == self.data_shape:
            return data.copy()
        return extended(data, self.reach, "nearest")

    @property
    def single(self) -> Blur:
        """The same for scenes and data of single precision."""
        return replace(self, domain=self.domain.single)

    def norm(self) -> float:
        """Largest singular value squared: exact where diagonal, else by power iteration.

        Of power iteration it is an estimate from below, raised by 2 %; never more than the largest
        squared gain of the domain times that of the extension.
        """
        largest = float(self.domain.power.max())
        if self.diagonal or self.boundary in ("zero", "unknown"):
            # Cutting and placing lengthen nothing.
            return largest
        vector = np.random.default_rng(0).standard_normal(self.shape)
        value = 0.0
        for _ in range(30):
            vector /= math.sqrt(float(np.vdot(vector, vector)))
            vector = self.adjoint(self.forward(vector))
            value = math.sqrt(float(np.vdot(vector, vector)))
        return 1.02 * value


def blur_of(kernel: Array, shape: tuple[int, ...], boundary: Boundary = "unknown") -> Blur:
    """The blur of frames of a shape by a kernel.

    Parameters
    ----------
    kernel : ndarray
        Of odd shape, its middle pixel the origin; 1 to 3 axes, as the data.
    shape : tuple of int
        Of the data.
    boundary : {"unknown", "reflect", "nearest", "zero", "periodic"}
        What the scene is past its border. "unknown" makes no assumption: the scene is larger than
        the data by the reach of the kernel, and found with it (Almeida and Figueiredo 2013, IEEE
        Trans. Image Process. 22, 3074-3086).

    Raises
    ------
    ValueError
        Where the kernel has other axes than the data, an even length, or is larger than the data.

    Examples
    --------
    >>> blur = blur_of(np.array([0.25, 0.5, 0.25]), (4,), "nearest")
    >>> blur.forward(np.array([0.0, 0.0, 4.0, 4.0])).round(6).tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    check_kernel(kernel, shape)
    reach = tuple(length // 2 for length in kernel.shape)
    if boundary == "periodic":
        return Blur(shape, shape, reach, boundary, fourier_domain(kernel, shape))
    if boundary == "reflect" and is_symmetric(kernel):
        return Blur(shape, shape, reach, boundary, cosine_domain(kernel, shape))
    larger = tuple(length + 2 * r for length, r in zip(shape, reach, strict=True))
    domain = fourier_domain(kernel, fast_shape(larger))
    return Blur(larger if boundary == "unknown" else shape, shape, reach, boundary, domain)


def check_kernel(kernel: Array, shape: tuple[int, ...]) -> None:
    """That a kernel fits data of a shape.

    Raises
    ------
    ValueError
        In one sentence, where it does not.

    Examples
    --------
    >>> check_kernel(np.ones((3, 3)), (64, 64))
    """
    size, frame = (" x ".join(map(str, each)) for each in (kernel.shape, shape))
    if kernel.ndim != len(shape):
        raise ValueError(
            f"The PSF has {kernel.ndim} axes ({size}), but a frame has {len(shape)} ({frame}); "
            "give a PSF with as many axes as a frame."
        )
    if any(length % 2 == 0 for length in kernel.shape):
        raise ValueError(
            f"The PSF has an even length ({size}), so that no pixel is its middle; centre it first."
        )
    if any(k > n for k, n in zip(kernel.shape, shape, strict=True)):
        raise ValueError(
            f"The PSF, centred in an odd array of {size} pixels, is larger than the frames "
            f"({frame}); crop the PSF, or give larger frames."
        )
