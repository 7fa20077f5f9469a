"""What is told of holes that are filled: layers, the table of patches, words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.outcome import (
    Curve,
    ImageResult,
    Outcome,
    Plot,
    ShapesResult,
    Table,
)
from napari_framewise.framework.placing import Layout, layout_of
from napari_framewise.numerics.contours import outlines
from napari_framewise.numerics.inpainting import WHOLE, Filling, Patch
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.inpainting.frames import Given

_MOST_SHAPES = 2_000
MAPS = ("filling order", "priority", "confidence", "source offset down", "source offset right")

_NOTES = {
    "iteration": "Number of the patch, from 0, frame after frame.",
    "frame": "Number of the frame, from 0.",
    "row": "Middle of the patch, in pixels.",
    "column": "Middle of the patch, in pixels.",
    "source_row": "Middle of the patch that was copied.",
    "source_column": "Middle of the patch that was copied.",
    "size": "Side of the patch in pixels.",
    "priority": "C ((1 - w) + w D), the greatest along the front.",
    "confidence": "C, the mean confidence of the patch.",
    "data": "D, the isophote that meets the front over the range of the frame.",
    "difference": "Rms difference of both patches where the pixels were known.",
    "pixels": "How many pixels it filled.",
    "left": "How many of its frame were left.",
}


class Images:
    """The images of all frames, each made again where it has changed only.

    Parameters
    ----------
    stack : Stack
        The frames.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.layout, self.flat = layout_of(stack), layout_of(stack, channels=False)
        self._filled = self.layout.empty(stack.dtype.newbyteorder("="))
        self._maps = [self.flat.empty(np.float32) for _ in MAPS]
        self._shown: dict[int, Filling | None] = dict.fromkeys(range(stack.n_frames))
        for _, maps in self._maps:
            maps[...] = np.nan
        for index in range(stack.n_frames):
            self._filled[1][index] = stack.frame(index)

    def update(self, fillings: Sequence[Filling]) -> None:
        """Take up how far the frames are."""
        for index, filling in enumerate(fillings):
            if self._shown[index] is filling:
                continue
            self._shown[index] = filling
            place = self._filled[1][index]
            place[...] = filling.applied(self.stack.frame(index))
            place[filling.target] = np.nan if place.dtype.kind == "f" else 0
            for (_, maps), values in zip(self._maps, maps_of(filling), strict=True):
                maps[index] = values

    def layers(self, filled: int) -> list[ImageResult]:
        """The images as layers: copies, for they are gone on with."""
        name, layout, flat = self.stack.name, self.layout, self.flat
        shown, first = self._filled[0], self._filled[1][0]
        layers = [
            ImageResult(
                f"{name} inpainted",
                shown.copy(),
                layout.grid,
                rgb=layout.rgb,
                contrast_limits=None if layout.rgb else limits_of(first),
            )
        ]
        limits = [(0.0, max(filled, 1.0)), (0.0, 1.0), (0.0, 1.0), None, None]
        colours = ("viridis", "viridis", "viridis", "twilight_shifted", "twilight_shifted")
        for title, (image, maps), given, colour in zip(
            MAPS, self._maps, limits, colours, strict=True
        ):
            reach = float(np.nanmax(np.abs(maps), initial=1.0))
            layers.append(
                ImageResult(
                    f"{name} {title}",
                    image.copy(),
                    flat.grid,
                    contrast_limits=given or (-reach, reach),
                    colormap=colour,
                    visible=False,
                )
            )
        return layers


def maps_of(filling: Filling) -> list[Array]:
    """Order, priority, confidence and source offset of what was filled; NaN elsewhere."""
    done = filling.source >= 0
    width = filling.shape[1]
    moved = np.stack(np.divmod(filling.source, width)) - np.stack(np.divmod(filling.hole, width))
    values = (filling.order, filling.priority, filling.confidence, *moved)
    return [
        filling.image_of(np.where(done, each, np.nan).astype(np.float32), np.float32(np.nan))
        for each in values
    ]


def outcome_of(given: Given, fillings: Sequence[Filling], images: Images) -> Outcome:
    """Layers, table and words for frames that are filled so far."""
    stack = given.stack
    images.update(fillings)
    log = np.concatenate([each.log for each in fillings])
    most = max(len(each.log) for each in fillings)
    table = _table(stack, fillings)
    plots = (
        Plot(
            "Difference of the patches",
            "patches",
            "iteration",
            (Curve("difference"),),
            "Patch",
            "rms difference",
        ),
        Plot(
            "Priority",
            "patches",
            "iteration",
            (Curve("priority"), Curve("confidence")),
            "Patch",
            "Priority, confidence",
        ),
    )
    return Outcome(
        (*images.layers(most), front_layer(images.flat, stack.name, fillings)),
        (table,),
        plots if len(log) else (),
        summary=_summary(given, fillings, len(log)),
        diagnostics=_diagnostics(given, fillings),
    )


def refuse_no_hole(given: Given, fillings: Sequence[Filling]) -> None:
    """Refuse frames in which nothing is to be filled.

    Raises
    ------
    ValueError
        Where no frame has a hole.
    """
    if any(len(each.hole) for each in fillings):
        return
    what = (
        f"{given.stack.name} has no missing pixel, and no hole was given"
        if given.hole is None
        else f"{given.hole.name} marks no pixel of {given.stack.name}"
    )
    raise ValueError(f"Hole: {what}; mark the pixels to fill with a value that is not zero.")


def _lines(fillings: Sequence[Filling]) -> list[tuple[int, Array, bool]]:
    """The fronts of frames that are not done, else the outlines of the holes."""
    left = [(k, each.target) for k, each in enumerate(fillings) if not each.done]
    whole = left or [
        (k, each.image_of(np.ones(len(each.hole), bool), False)) for k, each in enumerate(fillings)
    ]
    return [
        (frame, line.points, line.closed) for frame, target in whole for line in outlines(target)
    ]


def front_layer(flat: Layout, name: str, fillings: Sequence[Filling]) -> ShapesResult:
    """The fill front of frames, or, where all are filled, the outlines of their holes."""
    lines = _lines(fillings)[:_MOST_SHAPES]
    places = list(np.ndindex(flat.leading))
    data = []
    for frame, points, _ in lines:
        lead = np.tile(np.asarray(places[frame], np.float64), (len(points), 1))
        data.append(flat.coordinates(np.concatenate([lead, points], axis=1)))
    return ShapesResult(
        f"{name} fill front",
        data,
        flat.grid,
        tuple("polygon" if closed else "path" for _, _, closed in lines),
        colours=np.tile([1.0, 1.0, 0.0, 1.0], (len(lines), 1)),
        fill=np.zeros((len(lines), 4)),
        widths=np.full(len(lines), 0.5),
    )


def _table(stack: Stack, fillings: Sequence[Filling]) -> Table:
    numbers = stack.frame_numbers
    counts = [len(each.log) for each in fillings]
    log = np.concatenate([each.log for each in fillings])
    columns: dict[str, Array] = {
        "iteration": np.arange(len(log)),
        "frame": np.repeat([numbers[k] for k in range(len(fillings))], counts),
    }
    for position, field in enumerate(Patch._fields):
        kind = np.int64 if field in WHOLE else np.float64
        columns[field] = log[:, position].astype(kind)
    columns["left"] = np.concatenate(
        [
            np.empty(0, np.int64),
            *(len(each.hole) - np.cumsum(each.log[:, -1]) for each in fillings),
        ]
    ).astype(np.int64)
    return Table("patches", "iteration", columns, _NOTES)


def _summary(given: Given, fillings: Sequence[Filling], patches: int) -> str:
    total = sum(len(each.hole) for each in fillings)
    filled = total - sum(each.left for each in fillings)
    count = given.stack.n_frames
    where = f" in {count:,} frames" if count > 1 else ""
    times = "1 patch" if patches == 1 else f"{patches:,} patches"
    size = given.settings.size
    return (
        f"Filled {filled:,} of {total:,} pixels of {given.stack.name}{where} from {times} of "
        f"{size} x {size} pixels."
    )


def _diagnostics(given: Given, fillings: Sequence[Filling]) -> tuple[str, ...]:
    numbers = given.stack.frame_numbers
    said = []
    for index, each in enumerate(fillings):
        frame = "" if given.stack.n_frames == 1 else f"Frame {numbers[index]:,}: "
        size = int(each.log[:, 4].min(initial=given.settings.size))
        if size < given.settings.size:
            said.append(
                f"{frame}no patch larger than {size} x {size} lies wholly in the source, so "
                "smaller ones were copied."
            )
        if each.stuck and each.left:
            why = (
                "no known pixel lies beside them"
                if len(each.log)
                else "no patch of 3 x 3 pixels lies wholly in the source, or none of them is known "
                "beside the hole"
            )
            said.append(f"{frame}{each.left:,} pixels were not filled, for {why}.")
    return tuple(said)
