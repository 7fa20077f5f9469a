"""Gradient descent on the residual (Landweber), and FISTA on residual and total variation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from napari_framewise.numerics.deconvolution.data import Data, Step
from napari_framewise.numerics.deconvolution.extension import Array
from napari_framewise.numerics.deconvolution.operators import Blur
from napari_framewise.numerics.deconvolution.total_variation import Denoiser, total_variation


def landweber_steps(
    blur: Blur, data: Data, *, floor: float | None = None, start: Array | None = None
) -> Iterator[Step]:
    """Iterations ``x + tau H'(y - H x)`` with ``tau = 1 / |H|^2`` (Landweber 1951).

    Regularised by their number alone: they come nearer to the scene, then to the noise. With a
    floor each is projected (projected Landweber).

    Yields
    ------
    Step
    """
    step = 1 / blur.norm()
    scene = blur.start(data.filled) if start is None else start.copy()
    off = data.residual(blur.forward(scene))
    for number in range(1, 1_000_000):
        before = scene
        scene = scene - step * blur.adjoint(off)
        if floor is not None:
            scene = np.maximum(scene, floor)
        off = data.residual(blur.forward(scene))
        residual = float(np.vdot(off, off))
        yield Step(number, scene, residual, residual / 2, data.change(scene, before))


def fista_steps(
    blur: Blur,
    data: Data,
    weight: float,
    *,
    weights: Sequence[float] = (),
    floor: float | None = None,
    start: Array | None = None,
    passes: int = 10,
) -> Iterator[Step]:
    """Iterations of FISTA towards ``argmin_x 1/2 |H x - y|^2 + weight TV(x)``, x >= floor.

    Beck and Teboulle (2009), IEEE Trans. Image Process. 18, 2419-2434; begun anew where the step
    points against the gradient (O'Donoghue and Candes 2015, Found. Comput. Math. 15, 715-732,
    equation 13), and each time counted. The dual of the proximal map is kept, so that a few passes
    over it do.

    Yields
    ------
    Step
    """
    step = 1 / blur.norm()
    inner = Denoiser(blur.shape, weights, -math.inf if floor is None else floor)
    scene = blur.start(data.filled) if start is None else start.copy()
    ahead, t, restarts = scene, 1.0, 0
    for number in range(1, 1_000_000):
        gradient = blur.adjoint(data.residual(blur.forward(ahead)))
        new = inner.denoised(ahead - step * gradient, step * weight, passes)
        if float(np.vdot(ahead - new, new - scene)) > 0:
            t, restarts = 1.0, restarts + 1
        then = (1 + math.sqrt(1 + 4 * t * t)) / 2
        ahead = new + (t - 1) / then * (new - scene)
        before, scene, t = scene, new, then
        off = data.residual(blur.forward(scene))
        residual = float(np.vdot(off, off))
        objective = residual / 2 + weight * total_variation(scene, weights)
        change = data.change(scene, before)
        yield Step(number, scene, residual, objective, change, weight, restarts)
