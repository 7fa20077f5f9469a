"""How two images are compared: a measure with its settings, and what it gives for pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from napari_framewise.numerics import similarity as numerics
from napari_framewise.stacks.source import Array

Measure: TypeAlias = Literal[
    "correlation",
    "phase",
    "absolute",
    "squared",
    "pearson",
    "histogram_l1",
    "histogram_l2",
    "histogram_chi_square",
    "histogram_earth_mover",
    "ruzicka",
    "ssim",
]
SHIFTED: tuple[Measure, ...] = ("correlation", "phase", "absolute", "squared", "ssim")
"""Measures that look for the best shift."""
DISTANCES = (
    "absolute",
    "squared",
    "histogram_l1",
    "histogram_l2",
    "histogram_chi_square",
    "histogram_earth_mover",
)
"""Measures that are 0 for equal images, and larger the more these differ."""
_BINS = 64


@dataclass(frozen=True)
class Comparison:
    """A measure with all that it depends on.

    Attributes
    ----------
    measure : str
    details : Filter
        What is done to images first.
    transform : Transform
        The canvas, and the shifts that are looked at.
    least_overlap : float
    """

    measure: Measure
    details: numerics.Filter
    transform: numerics.Transform
    least_overlap: float

    @classmethod
    def of_two(cls, shape: tuple[int, int]) -> Comparison:
        """The default measure of images of a shape."""
        return comparison("correlation", numerics.Filter(), shape, (2, 2), 0.3, ragged=False)

    @property
    def weighs(self) -> bool:
        """Whether a best shift is looked for, and a score is worth more over more pixels."""
        return self.measure in SHIFTED

    @property
    def distance(self) -> bool:
        """Whether small is alike."""
        return self.measure in DISTANCES

    def canvas(self, images: Sequence[Array] | Array, masks: Any) -> numerics.Canvas:
        """Images on the canvas; masks are one for each, one for all, or None."""
        if masks is not None:
            masks = [masks[0]] * len(images) if len(masks) == 1 else list(masks)
        return numerics.on_canvas(images, self.transform.canvas, self.details, masks)

    def ready(self, canvas: numerics.Canvas, images: Sequence[Array] | Array) -> Any:
        """What `compared` takes of images and their canvas."""
        if self.measure == "ssim":
            return numerics.Pictures.of(numerics.Spectra.of(canvas, self.transform), images)
        if self.measure in ("absolute", "squared"):
            return canvas
        if self.measure in ("correlation", "phase", "pearson"):
            return numerics.Spectra.of(canvas, self.transform)
        return numerics.histograms(canvas, _BINS)

    def compared(self, first: Any, second: Any, pairs: Array | None = None) -> numerics.Matches:
        """Pairs of images that were made ready; each with each by default."""
        if self.measure in ("absolute", "squared"):
            return numerics.least_differences(
                first,
                second,
                self.transform.reach,
                pairs,
                squared=self.measure == "squared",
                least_overlap=self.least_overlap,
            )
        if self.measure == "ssim":
            return numerics.structural_similarities(
                first, second, pairs, least_overlap=self.least_overlap
            )
        if self.measure == "phase":
            return numerics.phase_correlations(
                first, second, pairs, least_overlap=self.least_overlap, fine=self.details.fine
            )
        if self.measure in ("correlation", "pearson"):
            return numerics.best_shifts(first, second, pairs, least_overlap=self.least_overlap)
        kind = self.measure.removeprefix("histogram_")
        values = numerics.histogram_distances(first, second, kind, pairs)  # type: ignore[arg-type]
        return numerics.Matches(
            values, values, np.zeros((len(values), 2)), np.full(len(values), np.nan)
        )

    def pair_seconds(self) -> float:
        """About how long a pair takes one processor, as measured for 32 to 512 pixels a side."""
        rows, columns = self.transform.padded
        shifts = int(np.prod(self.transform.surface))
        pixels = float(np.prod(self.transform.canvas))
        if self.measure in ("absolute", "squared"):
            sides = zip(self.transform.canvas, self.transform.reach, strict=True)
            return 2.2e-9 * shifts * float(np.prod([side - reach / 2 for side, reach in sides]))
        if self.measure == "phase":
            return 4.5e-8 * rows * columns
        if self.measure in ("correlation", "pearson", "ssim"):
            found = 3.6e-6 + 4e-9 * rows * columns + (3.6e-9 + 5.2e-11 * rows) * shifts
            return found + (6e-4 + 1e-7 * pixels) * (self.measure == "ssim")
        return 1.3e-6


@dataclass(frozen=True, eq=False)
class Ready:
    """Images of a tile made ready, with their numbers.

    Attributes
    ----------
    numbers : (n,) int
    canvas : Canvas
    given : object
        What the measure takes.
    """

    numbers: Array
    canvas: numerics.Canvas
    given: Any


def prepare(images: Any, numbers: Array, masks: Array | None, how: Comparison) -> Ready:
    """Make images ready."""
    canvas = how.canvas(images, masks)
    return Ready(numbers.ravel(), canvas, how.ready(canvas, images))


def listed(first: Ready, second: Ready, pairs: Array, how: Comparison) -> dict[str, Array]:
    """Columns of a table of pairs, given by their places in what was made ready."""
    found = how.compared(first.given, second.given, pairs)
    columns = {
        "first": first.numbers[pairs[:, 0]],
        "second": second.numbers[pairs[:, 1]],
        "score": found.score,
    }
    if not how.weighs:
        return columns
    columns["z"] = found.weight
    shifts = found.shifts
    if how.measure == "correlation":
        shifts = shifts + numerics.fractions(first.canvas, second.canvas, pairs, found)
        columns["chance"] = numerics.chances(first.given, second.given, pairs, found)
    columns["shift_y"], columns["shift_x"] = shifts.T
    smaller = np.minimum(first.canvas.counts[pairs[:, 0]], second.canvas.counts[pairs[:, 1]])
    columns["overlap"] = found.pixels / np.maximum(smaller, 1)
    return columns


def comparison(
    measure: Measure,
    details: numerics.Filter,
    shape: tuple[int, int],
    max_shift: tuple[int, int] | None,
    least_overlap: float,
    *,
    ragged: bool,
) -> Comparison:
    """How images of up to a shape are compared.

    Without a largest shift it is what the smallest overlap leaves: of images that differ in size
    about half of the largest one, so that a cut is found wherever it was taken.
    """
    if measure not in SHIFTED:
        reach = (0, 0)
        details = replace(details, first="nothing")
    elif max_shift is None:
        share = max(1 - least_overlap, 0.5 if ragged else 0.0)
        reach = tuple(min(side - 1, int(side * share)) for side in shape)  # type: ignore[assignment]
    else:
        reach = tuple(min(side - 1, each) for side, each in zip(shape, max_shift, strict=True))  # type: ignore[assignment]
    return Comparison(measure, details, numerics.Transform(shape, reach), least_overlap)
