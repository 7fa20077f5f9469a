"""Gauss-Newton steps of a displacement, level by level."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from napari_framewise.numerics.elastic import normal
from napari_framewise.numerics.elastic.field import Field, FloatArray
from napari_framewise.numerics.elastic.folding import unfolded
from napari_framewise.numerics.elastic.images import Seen
from napari_framewise.numerics.elastic.roughness import roughness
from napari_framewise.numerics.interpolation import sample

# What makes the bending of a displacement dear enough that only an affine one is left.
_STIFF = 1e6
_HUBER = 1.5
_LEAST_SCALE = 1e-3
SHORT = 0.02
"""Root mean square step, in pixels of the finest level, that ends the iterations on a level."""
_STEPS = 12
# Coarsest step, in pixels of the finest level, of a displacement that is not affine: three levels
# up, whatever odd numbers of pixels make of that.
_COARSEST = 8.5
_PIXELS_PER_CELL = 8
_UNIT = 3000.0
"""Weight of the bending energy at a smoothness of 1, in px^2."""


@dataclass(frozen=True)
class Rules:
    """What is weighed: see `Settings`."""

    spacing: float
    smoothness: float
    divergence: float
    curl: float
    landmarks: float


@dataclass(frozen=True, eq=False)
class Marks:
    """Landmarks: places (n, 2) in the reference and in the image."""

    here: FloatArray
    there: FloatArray


@dataclass(frozen=True, eq=False)
class Step:
    """How far a registration has come.

    Attributes
    ----------
    level : int
        0 is the finest.
    pixel : float
        Size of a pixel of the level, in pixels of the finest.
    affine : bool
        Whether only an affine displacement is looked for yet.
    objective : float
        Mean robust loss of the residual, and what the other terms add, before the step.
    correlation : float
        Of what is compared, on the level, before the step.
    moved : float
        Root mean square of the step over the frame, in pixels.
    field : Field
        After the step.
    """

    level: int
    pixel: float
    affine: bool
    objective: float
    correlation: float
    moved: float
    field: Field


def cells_of(shape: tuple[int, ...], spacing: float) -> tuple[tuple[int, ...], int]:
    """Cells of the coarsest lattice along each axis, and how often they are halved."""
    halvings = 0
    while min(shape) / (spacing * 2 ** (halvings + 1)) >= 2 and halvings < 3:
        halvings += 1
    widest = spacing * 2**halvings
    return tuple(max(1, round((n - 1) / widest)) for n in shape), halvings


def fitted(
    here: tuple[Seen, ...],
    there: tuple[Seen, ...],
    field: Field,
    marks: Marks | None,
    rules: Rules,
    affine: bool,
) -> Generator[Step, None, Field]:
    """Steps on all levels from a start, first of an affine displacement where that is asked for."""
    count = min(len(here), len(there))
    halvings = cells_of(field.shape, rules.spacing)[1]
    spacing = rules.spacing * 2**halvings
    if affine:
        for number in range(count - 1, min(1, count - 2), -1):
            field = yield from _on_level(
                number, here[number], there[number], field, marks, rules, stiff=True
            )
    start = max([n for n in range(count) if max(here[n].step) <= _COARSEST])
    for number in range(start, -1, -1):
        wanted = max(rules.spacing, _PIXELS_PER_CELL * max(here[number].step) * (number > 0))
        while spacing / 2 >= wanted - 1e-9:
            field, spacing = field.refined(), spacing / 2
        field = yield from _on_level(
            number, here[number], there[number], field, marks, rules, stiff=False
        )
    return field


def _on_level(
    number: int,
    here: Seen,
    there: Seen,
    field: Field,
    marks: Marks | None,
    rules: Rules,
    *,
    stiff: bool,
) -> Generator[Step, None, Field]:
    pixel = max(here.step)
    lattice = field.lattice
    weight = _UNIT * pixel**2 * (_STIFF if stiff else 1.0)
    rough = roughness(
        lattice,
        weight * (rules.smoothness or 1e-3),
        0.0 if stiff else weight * rules.divergence,
        0.0 if stiff else weight * rules.curl,
    )
    held = normal.banded_of(rough, lattice)
    pinned = None if marks is None else lattice.design(marks.here)
    for _ in range(_STEPS):
        compared = compare(here, there, field)
        right = normal.gradient(lattice, here.coordinates, compared.forces)
        matrix = normal.hessian(lattice, here.coordinates, compared.weights)
        flat = np.moveaxis(field.coefficients, 0, -1).ravel()
        objective = compared.objective + float(flat @ (rough @ flat)) / compared.size
        gradient = right.ravel() + rough @ flat
        if pinned is not None and marks is not None:
            miss = field.pull_back(marks.here) - marks.there
            strength = rules.landmarks * float((matrix[0] if stiff else matrix[0] + held[0]).mean())
            gradient = gradient + strength * (pinned.T @ miss).ravel()
            square = sparse.csr_array(
                sparse.kron(strength * (pinned.T @ pinned), sparse.eye_array(2), format="csr")
            )
            matrix = matrix + normal.banded_of(square, lattice)
            objective += strength * float((miss**2).sum()) / compared.size
        step = normal.solved(matrix + held, -gradient).reshape(*lattice.shape, 2)
        after = field.with_coefficients(field.coefficients + np.moveaxis(step, -1, 0))
        after = unfolded(field, after)
        moved = _step_of(field, after)
        field = after
        yield Step(number, pixel, stiff, objective, compared.correlation, moved, field)
        if moved < SHORT * (pixel if stiff else 1.0):
            break
    return field


def _step_of(before: Field, after: Field) -> float:
    """Root mean square of what lies between two displacements, over the frame."""
    axes = [np.linspace(0.0, axis.stop, 2 * axis.cells + 1) for axis in before.lattice.axes]
    step = before.lattice.on_grid(after.coefficients - before.coefficients, axes)
    return float(np.sqrt((step**2).sum(axis=0).mean()))


@dataclass(frozen=True, eq=False)
class Compared:
    """Two images at a transform.

    Attributes
    ----------
    forces : (2, y, x)
        Derivatives of the objective by the displacement of each pixel.
    weights : (3, y, x)
        The second ones.
    objective : float
        Mean robust loss of the residual.
    correlation : float
    size : float
        Sum of the weights, over the square of the residual's scale.
    """

    forces: FloatArray
    weights: FloatArray
    objective: float
    correlation: float
    size: float


def compare(here: Seen, there: Seen, field: Field) -> Compared:
    """Residual, forces and their derivatives.

    A pixel counts for both images: with ``q = T(p)`` the sum over the second image's pixels is one
    over the first's with the weight det J, so each has the mean of 1 and det J.
    """
    shape = (-1, 1, 1)
    at = field.on_grid(here.coordinates)
    at = (at - np.reshape(there.offset, shape)) / np.reshape(there.step, shape)
    (moved, seen), slopes, inside = sample(there.spline, at, slopes=True)
    assert slopes is not None
    jacobian = field.slopes_on_grid(here.coordinates)
    size = jacobian[0, 0] * jacobian[1, 1] - jacobian[0, 1] * jacobian[1, 0]
    # Slopes of both images halve the noise: those of the first as the second has them.
    down, across = here.slopes / size
    steep = slopes[:, 0] / np.reshape(there.step, shape)
    steep[0] = (steep[0] + jacobian[1, 1] * down - jacobian[1, 0] * across) / 2
    steep[1] = (steep[1] + jacobian[0, 0] * across - jacobian[0, 1] * down) / 2
    use = inside & here.valid
    weight = np.where(use, (np.clip(seen, 0, 1) * here.trust) ** 2, 0.0)
    residual = np.where(use, moved - here.values, 0.0)
    scale = 1.0
    if use.any():
        scale = max(1.4826 * float(np.median(np.abs(residual[use]))), _LEAST_SCALE)
    far = np.abs(residual) / scale
    robust = np.minimum(1.0, _HUBER / np.maximum(far, _HUBER))
    loss = np.where(far <= _HUBER, far**2, 2 * _HUBER * far - _HUBER**2)
    total = float(weight.sum())
    area = float(np.prod(here.step))
    objective = scale**2 * float((weight * loss).sum()) / total if total else 0.0
    correlation = _correlation(here.values, moved, weight)
    weight = weight * robust * (area / scale**2) * (1 + np.abs(size)) / 2
    return Compared(
        steep * (weight * residual),
        np.stack([weight * steep[0] ** 2, weight * steep[0] * steep[1], weight * steep[1] ** 2]),
        objective,
        correlation,
        max(area * total, 1.0) / scale**2,
    )


def _correlation(first: FloatArray, second: FloatArray, weight: FloatArray) -> float:
    """Weighted Pearson correlation; NaN where there is none."""
    total = float(weight.sum())
    if total <= 0:
        return float("nan")
    first = first - float((weight * first).sum()) / total
    second = second - float((weight * second).sum()) / total
    sizes = float((weight * first**2).sum()) * float((weight * second**2).sum())
    if sizes <= 0:
        return float("nan")
    return float((weight * first * second).sum() / np.sqrt(sizes))
