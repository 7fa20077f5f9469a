"""Least squares with squared differences, where no transform makes the blur diagonal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from napari_framewise.numerics.deconvolution.data import Data, Step
from napari_framewise.numerics.deconvolution.extension import Array
from napari_framewise.numerics.deconvolution.operators import Blur


def quadratic_steps(
    blur: Blur, data: Data, weight: float, weights: Sequence[float] = (), start: Array | None = None
) -> Iterator[Step]:
    """Iterations towards ``argmin_x |H x - y|^2 + weight |D x|^2`` by conjugate gradients.

    The zero-gradient border of D leaves the scene free past it (Hestenes and Stiefel 1952).

    Yields
    ------
    Step
    """
    scales = np.square(np.array(tuple(weights) or (1.0,) * len(blur.shape)))

    def normal(scene: Array) -> Array:
        seen = np.where(data.weight, blur.forward(scene), 0.0)
        return blur.adjoint(seen) + weight * _laplacian(scene, scales)

    scene = blur.start(data.filled) if start is None else start.copy()
    left = blur.adjoint(data.values) - normal(scene)
    direction, size = left.copy(), float(np.vdot(left, left))
    for number in range(1, 1_000_000):
        turned = normal(direction)
        along = float(np.vdot(direction, turned))
        step = size / along if along > 0 else 0.0
        before = scene
        scene = scene + step * direction
        left = left - step * turned
        new = float(np.vdot(left, left))
        direction = left + (new / size if size > 0 else 0.0) * direction
        size = new
        off = data.residual(blur.forward(scene))
        residual = float(np.vdot(off, off))
        rough = float(np.vdot(scene, _laplacian(scene, scales)))
        objective = (residual + weight * rough) / 2
        yield Step(number, scene, residual, objective, data.change(scene, before), weight)


def _laplacian(scene: Array, scales: Array) -> Array:
    """``D' D`` of a scene, D the differences of neighbours inside it."""
    out = np.zeros(scene.shape)
    for axis, scale in enumerate(scales):
        steps = scale * np.diff(scene, axis=axis)
        last = (slice(None),) * axis
        out[(*last, slice(1, None))] += steps
        out[(*last, slice(None, -1))] -= steps
    return out
