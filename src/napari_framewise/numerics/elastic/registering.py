"""From two images to a transform: preparation, start, steps, verdict."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_framewise.numerics.elastic import verdict
from napari_framewise.numerics.elastic.blocks import block_cells, block_field
from napari_framewise.numerics.elastic.field import Field, FloatArray
from napari_framewise.numerics.elastic.fitting import SHORT, Marks, Rules, Step, cells_of, fitted
from napari_framewise.numerics.elastic.folding import determinants
from napari_framewise.numerics.elastic.given import checked, marks_of, start_of
from napari_framewise.numerics.elastic.images import BoolArray, Seen, Similarity, levels_of
from napari_framewise.numerics.elastic.measures import alike
from napari_framewise.numerics.elastic.settled import UNKNOWN, Left, left_of
from napari_framewise.numerics.elastic.verdict import Status

# Points along each axis that are followed there and back.
_RETURNS = {2: 33, 3: 12}


@dataclass(frozen=True)
class Settings:
    """How to register.

    Attributes
    ----------
    spacing : float
        Pixels between the nodes of the finest lattice; it is rounded so that nodes fit the frame.
    similarity : {"correlation", "squares"}
        Compare deviations from the local mean in local standard deviations, whose squared
        differences are 2 (1 - local correlation); or values as they are.
    window : int
        Side of the local window in pixels of each level, odd.
    smoothness : float
        Weight of the bending energy; 1 is the usual one, 10 ten times as stiff.
    divergence, curl : float
        Further weights, of the gradients of the divergence and of the curl.
    landmarks : float
        Weight of one landmark; at 1 it counts as much as what the pixels around one node and its
        bending hold it with.
    affine : bool
        Look for an affine transform first, from the start on.
    """

    spacing: float = 32.0
    similarity: Similarity = "correlation"
    window: int = 31
    smoothness: float = 1.0
    divergence: float = 0.0
    curl: float = 0.0
    landmarks: float = 1.0
    affine: bool = True

    def __post_init__(self) -> None:
        if self.spacing < 4 or self.window < 3 or self.window % 2 == 0:
            raise ValueError(
                f"A spacing of {self.spacing:g} px and a window of {self.window} px were given; "
                "nodes at least 4 pixels apart and an odd window of 3 pixels or more are needed."
            )
        if min(self.smoothness, self.divergence, self.curl, self.landmarks) < 0:
            raise ValueError("A weight below 0 was given; weights are 0 or more.")


@dataclass(frozen=True, eq=False)
class Registration:
    """A transform between two images, and how far to trust it.

    Attributes
    ----------
    field : Field
        From pixels of the reference to those of the image. Where `found` is False its numbers are
        NaN.
    status : Status
    evidence : float
        How far details of the images were alike before the level that shows them was fitted, in
        standard errors of unrelated images; below 6 it is chance, and only an answer that three
        landmarks lead to is given.
    similarity : (levels, 4) float64
        Per level from the coarsest: its pixel size in pixels, correlation before and after it was
        fitted, iterations.
    correlation : (2,) float64
        Mean of the correlations within squares of the window's side, before (at the start) and
        after.
    rmse : (2,) float64
        Root mean square of the difference of the images' values, before and after.
    least_determinant, largest_determinant : float
        Of the Jacobian, on a grid of eight places from node to node.
    inconsistency : float
        Largest distance in pixels between points and where they come to, there and back.
    landmark_errors : (m,) float64
        Distance of each landmark from its partner, in pixels of the image.
    history : (steps, 4) float64
        Pixel size, objective, correlation, root mean square step in pixels.
    left : Left
        What motion small blocks still show.
    told : float
        Share of the blocks that told a shift; NaN of splines.
    """

    field: Field
    status: Status
    evidence: float
    similarity: FloatArray
    correlation: FloatArray
    rmse: FloatArray
    least_determinant: float
    largest_determinant: float
    inconsistency: float
    landmark_errors: FloatArray
    history: FloatArray
    left: Left = UNKNOWN
    told: float = float("nan")

    @property
    def found(self) -> bool:
        """Whether there is a transform."""
        return self.status < Status.NO_DATA


def registering(
    reference: ArrayLike,
    image: ArrayLike,
    *,
    reference_mask: ArrayLike | None = None,
    image_mask: ArrayLike | None = None,
    landmarks: tuple[ArrayLike, ArrayLike] | None = None,
    start: ArrayLike | None = None,
    settings: Settings | None = None,
) -> Generator[Step, None, Registration]:
    """Steps of `register`, one at a time: a generator that returns the registration.

    Examples
    --------
    >>> steps = registering(np.eye(32), np.eye(32))
    >>> next(steps).affine
    True
    """
    rules = settings or Settings()
    first, use = checked(reference, reference_mask, "reference")
    second, use_there = checked(image, image_mask, "image")
    marks = marks_of(landmarks)
    matrix = start_of(first.shape, second.shape, start, marks)
    cells, halvings = cells_of(first.shape, rules.spacing)
    field = Field.still(matrix, first.shape, cells)
    here = levels_of(first, use, rules.similarity, rules.window)
    there = levels_of(second, use_there, rules.similarity, rules.window)
    if not here or not there:
        empty = not (use.any() and use_there.any())
        for _ in range(halvings):
            # As the others of a movie have it.
            field = field.refined()
        return _none(field, Status.NO_DATA if empty else Status.FLAT, marks)
    weights = Rules(rules.spacing, rules.smoothness, rules.divergence, rules.curl, rules.landmarks)
    before = field
    steps: list[Step] = []
    proof = float("nan")
    running = fitted(here, there, field, marks, weights, rules.affine)
    while True:
        try:
            step = next(running)
        except StopIteration as stop:
            field = stop.value
            break
        last = steps[-1] if steps else None
        fresh = not step.affine and (last is None or last.affine or last.level != step.level)
        if fresh:
            at = steps[-1].field if steps else before
            proof = float(np.fmax(proof, verdict.evidence(here[step.level], there[step.level], at)))
        steps.append(step)
        yield step
    status = _verdict(
        here,
        there,
        proof,
        guided=marks is not None and len(marks.here) > 2,
        placed=marks is not None or start is not None,
    )
    history = np.array([[s.pixel, s.objective, s.correlation, s.moved] for s in steps])
    if status is not None:
        return _none(field, status, marks, proof, history)
    status = Status.CONVERGED if steps[-1].moved < SHORT else Status.SLOW
    return _result(first, second, use, use_there, before, field, status, proof, steps, marks, rules)


def register_blocks(
    reference: ArrayLike,
    image: ArrayLike,
    *,
    reference_mask: ArrayLike | None = None,
    image_mask: ArrayLike | None = None,
    start: ArrayLike | None = None,
    settings: Settings | None = None,
    reach: int = 8,
) -> Registration:
    """Register an image by a shift for each block, as movies of living tissue are.

    Parameters
    ----------
    reference, image : (y, x) or (z, y, x)
        Planes, as `register` takes them, or volumes of at least 8 voxels a side.
    reference_mask, image_mask, start
        As `register` takes them.
    settings : Settings, optional
        Of which the spacing is that of the blocks.
    reach : int
        Farthest shift of a block from that of the whole frame, in pixels.

    Returns
    -------
    Registration
        Its evidence is the median over the blocks that tell a shift of that in standard errors.

    Raises
    ------
    ValueError
        As `register` does.

    Examples
    --------
    >>> scene = np.random.default_rng(0).normal(size=(96, 96)).cumsum(0).cumsum(1)
    >>> scene -= scene.mean(axis=0)
    >>> found = register_blocks(scene[8:88, 8:88], scene[10:90, 7:87])
    >>> found.field.pull_back([[40.0, 40.0]]).round(1).tolist()
    [[38.0, 41.0]]
    """
    rules = settings or Settings()
    first, use = checked(reference, reference_mask, "reference", volumes=True)
    second, use_there = checked(image, image_mask, "image", volumes=True)
    if first.ndim != second.ndim:
        raise ValueError(
            f"The reference has {first.ndim} axes and the image {second.ndim}; two planes or two "
            "volumes are needed."
        )
    matrix = None if start is None else start_of(first.shape, second.shape, start, None)
    cells = block_cells(first.shape, rules.spacing)
    nothing = Field.still(np.eye(first.ndim + 1), first.shape, cells)
    for values, valid in ((first, use), (second, use_there)):
        if not valid.any() or values[valid].min() == values[valid].max():
            return _none(nothing, Status.FLAT if valid.any() else Status.NO_DATA, None)
    field, found = block_field(first, second, use, use_there, matrix, rules.spacing, reach)
    known = found.weights > 0
    if not found.agree(reach):
        return _none(field, Status.UNLIKE, None)
    if start is None and found.repeated:
        return _none(field, Status.AMBIGUOUS, None)
    before = field.with_coefficients(np.zeros_like(field.coefficients))
    proof = float(np.median(found.peaks[known]))
    made = _result(
        first, second, use, use_there, before, field, Status.CONVERGED, proof, [], None, rules
    )
    return replace(made, told=float(known.mean()))


def _verdict(
    here: tuple[Seen, ...], there: tuple[Seen, ...], proof: float, *, guided: bool, placed: bool
) -> Status | None:
    """What speaks against the answer: three landmarks are as good as texture in common."""
    texture = min(
        max(float(each.trust[each.valid].mean()) for each in seen if each.valid.any())
        for seen in (here, there)
    )
    status = None if guided else verdict.judged(proof, texture)
    if status is None and not placed and verdict.repeats(here):
        return Status.AMBIGUOUS
    return status


def _result(
    first: NDArray[Any],
    second: NDArray[Any],
    use: BoolArray,
    use_there: BoolArray,
    before: Field,
    field: Field,
    status: Status,
    proof: float,
    steps: list[Step],
    marks: Marks | None,
    settings: Settings,
) -> Registration:
    found = determinants(field)
    measured = [
        alike(first, second, use, use_there, each, settings.window) for each in (before, field)
    ]
    rows = []
    elastic = [step for step in steps if not step.affine]
    for level in sorted({step.level for step in elastic}, reverse=True):
        mine = [step for step in elastic if step.level == level]
        rows.append([mine[0].pixel, mine[0].correlation, mine[-1].correlation, len(mine)])
    axes = [np.linspace(0, n - 1, min(n, _RETURNS[len(field.shape)])) for n in field.shape]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    back = field.push(field.pull_back(grid))
    left = left_of(first, second, use, use_there, field, settings.spacing)
    if status == Status.CONVERGED and not left.settled:
        status = Status.COARSE
    return Registration(
        field,
        status,
        proof,
        np.array(rows).reshape(-1, 4),
        np.array([each[0] for each in measured]),
        np.array([each[1] for each in measured]),
        float(found.min()),
        float(found.max()),
        float(np.sqrt(((back - grid) ** 2).sum(axis=1)).max()),
        _misses(field, marks),
        np.array([[s.pixel, s.objective, s.correlation, s.moved] for s in steps]).reshape(-1, 4),
        left,
    )


def _misses(field: Field, marks: Marks | None) -> FloatArray:
    if marks is None:
        return np.empty(0)
    return np.asarray(np.sqrt(((field.pull_back(marks.here) - marks.there) ** 2).sum(axis=1)))


def _none(
    field: Field,
    status: Status,
    marks: Marks | None,
    proof: float = float("nan"),
    history: FloatArray | None = None,
) -> Registration:
    nan = float("nan")
    lost = Field(
        np.full_like(field.matrix, nan), np.full_like(field.coefficients, nan), field.shape
    )
    pair = np.full(2, nan)
    return Registration(
        lost,
        status,
        proof,
        np.empty((0, 4)),
        pair,
        pair,
        nan,
        nan,
        nan,
        np.full(0 if marks is None else len(marks.here), nan),
        np.empty((0, 4)) if history is None else history,
    )
