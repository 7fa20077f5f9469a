"""A grey photograph with scribbles in the colours that it had."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from skimage import data
from skimage.draw import line

from napari_framewise.samples.mixtures import SEED, described
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.legend import Legend
from napari_framewise.stacks.stack import stack_of

_SIZE = 256
_STROKES, _LONGEST = 150, 30
_LUMA = np.array([0.299, 0.587, 0.114])


def grey_photograph() -> SampleData:
    """The astronaut of scikit-image as luminance, 256 x 256, and 150 strokes in its own colours.

    The truth holds `colours` (256, 256, 3) from 0 to 1. The luminance is rounded to 8 bits.
    """
    photograph = np.asarray(data.astronaut(), np.float64) / 255
    colours = photograph.reshape(_SIZE, 2, _SIZE, 2, 3).mean((1, 3))
    grey = np.rint(255 * colours @ _LUMA).astype(np.uint8)
    labels, legend = _strokes(colours)
    title = "Grey photograph with scribbles"
    axes = ("y", "x")
    truth = {"colours": colours}
    whole = stack_of(
        np.rint(255 * colours).astype(np.uint8),
        axes=(*axes, "c"),
        rgb=True,
        name=f"{title}, truth",
    )
    scribbles = replace(stack_of(labels, axes=axes, name=f"{title}, scribbles"), legend=legend)
    stacks = (
        ("stack", stack_of(grey, axes=axes, name=title)),
        ("scribbles", scribbles),
        ("truth", whole),
    )
    source = "astronaut, ships with scikit-image"
    return SampleData(stacks, truth, described(title, source, truth))


def _strokes(colours: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.uint8], Legend]:
    """Short strokes where the colour hardly changes, each in the median of the colours under it."""
    rng = np.random.default_rng(SEED + 11)
    labels = np.zeros((_SIZE, _SIZE), np.uint8)
    chosen: list[npt.NDArray[np.float64]] = []
    while len(chosen) < _STROKES:
        start, angle = rng.integers(0, _SIZE, 2), rng.uniform(0, 2 * np.pi)
        length = rng.uniform(6, _LONGEST)
        end = np.clip(start + length * np.array([np.sin(angle), np.cos(angle)]), 0, _SIZE - 1)
        (top, left), (bottom, right) = start.tolist(), end.astype(int).tolist()
        rows, columns = line(top, left, bottom, right)
        under = colours[rows, columns]
        if len(rows) < 5 or (under.std(axis=0) > 0.08).any():
            continue
        chosen.append(np.median(under, axis=0))
        labels[rows, columns] = len(chosen)
    numbers = np.arange(1, _STROKES + 1)
    opaque = np.ones((_STROKES, 1))
    return labels, Legend(numbers, np.hstack([np.rint(255 * np.array(chosen)) / 255, opaque]))
