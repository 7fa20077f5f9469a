"""What was given: images, references and pairs that were judged, as the passes take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_framewise.framework.in_step import in_step
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.outcome import Table
from napari_framewise.numerics.similarity import Filter
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.similarity.comparing import Comparison, Measure, Ready, comparison
from napari_framewise.tools.similarity.passes import Images

_FALSE = ("0", "no", "n", "false", "different")


@dataclass(frozen=True, eq=False)
class References:
    """Images that others are compared with.

    Attributes
    ----------
    ready : Ready
    names : tuple of str
        What they are called.
    own : int, optional
        Which of the images it is, where it is one of them.
    """

    ready: Ready
    names: tuple[str, ...]
    own: int | None = None


def images_of(inputs: Inputs) -> Images:
    """The images with their masks.

    Raises
    ------
    ValueError
        Where a mask was given with images that differ in size, or does not fit.
    """
    (images,) = inputs["images"]
    assert isinstance(images, (Stack, RaggedStack))
    mask = inputs.optional_stack("mask")
    if mask is None:
        return Images(images)
    if isinstance(images, RaggedStack):
        raise ValueError(
            f"A mask was given, but {images.name} holds {images.summary()}; a mask fits images of "
            "one size only."
        )
    return Images(images, in_step(mask, images, "Mask"))


def sizes_of(images: Stack | RaggedStack) -> Array:
    """Rows and columns of each image, or of all: (n or 1, 2)."""
    if isinstance(images, RaggedStack):
        return np.array([shape[:2] for shape in images.shapes])
    return np.array([images.spatial_shape])


def comparison_of(
    inputs: Inputs,
    given: Images,
    measure: Measure,
    details: Filter,
    max_shift: int | None,
    least_overlap: float,
) -> Comparison:
    """How the images are compared, on a canvas that holds the largest of them all.

    Raises
    ------
    ValueError
        Where images and references differ in channels.
    """
    sizes = [sizes_of(given.images)]
    for references in inputs["references"]:
        assert isinstance(references, (Stack, RaggedStack))
        mine, theirs = _channels(given.images), _channels(references)
        if mine != theirs:
            raise ValueError(
                f"References: {references.name} has {_said(theirs)}, but {given.images.name} has "
                f"{_said(mine)}; give both in colour, or both in grey."
            )
        sizes.append(sizes_of(references))
    every = np.concatenate(sizes)
    rows, columns = (int(side) for side in every.max(axis=0))
    reach = None if max_shift is None else (max_shift, max_shift)
    ragged = bool((every != every[0]).any())
    return comparison(measure, details, (rows, columns), reach, least_overlap, ragged=ragged)


def references_of(
    inputs: Inputs, given: Images, compare: str, one: int, how: Comparison
) -> References | None:
    """What each image is compared with, where it is not every other.

    Raises
    ------
    ValueError
        Where there is no image of that number.
    """
    if inputs["references"]:
        (images,) = inputs["references"]
        assert isinstance(images, (Stack, RaggedStack))
        references = Images(images)
        ready = references.ready(range(references.n), how)
        return References(ready, names_of(images))
    if compare != "one":
        return None
    if one >= given.n:
        raise ValueError(
            f"Image {one:,} was asked for, but {given.images.name} holds {given.n:,} images, "
            f"0 to {given.n - 1:,}."
        )
    return References(given.ready([one], how), (names_of(given.images)[one],), one)


def names_of(images: Stack | RaggedStack) -> tuple[str, ...]:
    """Names of files, or numbers of frames."""
    if isinstance(images, RaggedStack):
        return images.names
    return tuple(map(str, images.frame_numbers))


def numbers_of(images: Stack | RaggedStack) -> Array:
    """Numbers of the images in the whole stack, or folder."""
    if isinstance(images, RaggedStack):
        return np.arange(images.n_frames)
    return np.asarray(images.frame_numbers, np.int64)


def judged_pairs(inputs: Inputs) -> Array:
    """Numbers (k, 2) of the pairs that are left out, the lower one first.

    Raises
    ------
    ValueError
        Where the table has no such columns.
    """
    found = []
    for table in inputs["judged"]:
        assert isinstance(table, Table)
        if not {"first", "second"} <= table.columns.keys():
            raise ValueError(
                f"Judged not the same: the table has the columns {', '.join(table.columns)}; first "
                "and second are needed, the numbers of two images."
            )
        pairs = np.stack([table.columns["first"], table.columns["second"]], axis=1)
        try:
            whole = pairs.astype(np.float64).astype(np.int64)
        except ValueError:
            raise ValueError(
                "Judged not the same: first and second must be the numbers of images."
            ) from None
        same = table.columns.get("same")
        if same is not None:
            kept = [str(each).strip().lower().removesuffix(".0") in _FALSE for each in same]
            whole = whole[np.array(kept, bool)]
        found.append(np.sort(whole, axis=1))
    return np.unique(np.concatenate([np.empty((0, 2), np.int64), *found]), axis=0)


def places_of(left_out: Array, numbers: Array) -> Array:
    """Where pairs by number stand in the matrix."""
    place = {int(number): at for at, number in enumerate(numbers)}
    found = [
        sorted((place[int(a)], place[int(b)]))
        for a, b in left_out
        if int(a) in place and int(b) in place
    ]
    return np.array(found, np.int64).reshape(-1, 2)


def _channels(images: Stack | RaggedStack) -> int:
    if isinstance(images, RaggedStack):
        return 3 if images.rgb else 1
    return min(images.channels or 1, 3)


def _said(channels: int) -> str:
    return "one channel" if channels == 1 else f"{channels} channels"
