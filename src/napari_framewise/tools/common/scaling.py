"""Offsets and gains as results: the scaled layer, the model, the table and its plot."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.sinks import MemorySink
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.framemap import Result
from napari_framewise.framework.in_step import series
from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.model import Model, Space
from napari_framewise.framework.outcome import Curve, ImageResult, Plot, Table
from napari_framewise.framework.placing import layout_of
from napari_framewise.numerics.normalise import Scaling, Status
from napari_framewise.numerics.statistics import Moments
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.common.scaled_blocks import (
    Target,
    scaled_block,
)

STATUS_NOTE = "Sum of: 1 no data, 2 NaN or infinite pixels, 4 flat, 8 clipped; 0 is plain."
_SHOWN_CHANNELS = 3
_SAID = 4


@dataclass(frozen=True, eq=False)
class Normalisation(Model):
    """``y = (x - offset) * gain + base`` for every frame and channel, or one for all.

    Attributes
    ----------
    offset, gain : (n or 1, C or 1) float64
        Of each frame and channel; NaN where a frame held no data, gain 0 where it was flat.
    base : float
        What the offset becomes.
    method : str
        What it follows from.
    dtype : str
        Type of the data that it was measured on, to which undoing leads back.
    channels : tuple of str
        Names of the channels; empty where they were taken together.
    """

    kind: ClassVar[str] = "normalisation"

    offset: Array
    gain: Array
    base: float
    method: str
    dtype: str
    channels: tuple[str, ...]

    @property
    def scaling(self) -> Scaling:
        """As numerics take it."""
        return Scaling(self.offset, self.gain, self.base)


def normalisation_of(
    stack: Stack, scaling: Scaling, method: str, channels: tuple[str, ...]
) -> Normalisation:
    """The model of what was measured on a stack."""
    space = Space.of(stack.name, stack.grid)
    dtype = stack.dtype.newbyteorder("=").name
    return Normalisation(
        space, space, scaling.offset, scaling.gain, scaling.base, method, dtype, channels
    )


def scaled_frames(
    stack: Stack,
    scaling: Scaling,
    channel_axis: int | None,
    target: Target,
    *,
    engine: Engine,
    result: Result,
    name: str,
    count: bool,
    ranged: bool,
    undo: bool = False,
) -> Generator[Progress, None, tuple[ImageResult, Array | None]]:
    """A stack with known offsets and gains applied or undone, and its clipped pixels (n, C).

    Of lazy frames, which are computed later, clipped pixels are counted where `count` asks for it.
    `ranged` says that results fill the range of the target.
    """
    stacks = (stack, series(scaling.offset, "offsets"), series(scaling.gain, "gains"))
    context = (channel_axis, target, undo)
    data: Any
    clipped: list[Any]
    if result == "memory":
        data, clipped = yield from filled(stacks, scaled_block, context, target, engine)
    else:
        clipped = []
        if target.limits is not None and count:
            clipped = yield from run_pass(
                MapFrames(),
                scaled_block,
                stacks,
                context,
                engine=engine,
                cost=scaling_cost(stack, target, stored=False),
                label="Counting clipped pixels",
            )
        data = LazyFrames(
            stacks,
            scaled_block,
            context,
            dtype=target.dtype,
            order=layout_of(stack).order,
            cost=scaling_cost(stack, target),
        )
    counted = np.concatenate(clipped) if clipped else None
    return scaled_layer(stack, data, target, name, ranged=ranged), counted


def filled(
    stacks: tuple[Stack, *tuple[Stack | None, ...]],
    function: Callable[..., Any],
    context: tuple[Any, ...],
    target: Target,
    engine: Engine,
    label: str = "Scaling",
) -> Generator[Progress, None, tuple[Array, list[Any]]]:
    """All frames in memory, and the function's values."""
    stack = stacks[0]
    array, blocks = layout_of(stack).empty(target.dtype)
    values = yield from run_pass(
        MapFrames(),
        function,
        stacks,
        context,
        engine=engine,
        cost=scaling_cost(stack, target),
        label=label,
        into=MemorySink(blocks),
    )
    return array, values


def scaled_layer(
    stack: Stack, data: Any, target: Target, name: str, *, ranged: bool
) -> ImageResult:
    """The layer of scaled frames, shown over the target's range or the first frame's values."""
    layout = layout_of(stack)
    limits = target.ends if ranged else limits_of(layout.first(data))
    return ImageResult(
        f"{stack.name} {name}", data, layout.grid, rgb=layout.rgb, contrast_limits=limits
    )


def scaling_cost(stack: Stack, target: Target, *, stored: bool = True) -> Cost:
    """What a frame takes to be measured and scaled."""
    pixels = int(np.prod(stack.frame_shape))
    written = pixels * np.dtype(target.dtype).itemsize
    # Channels that change places, and other byte orders, are copied once.
    scratch = written + pixels * max(4, stack.dtype.itemsize)
    return Cost(output=written if stored else 64, scratch=scratch, seconds=1e-6 + 2e-9 * pixels)


def size_in_words(stack: Stack, dtype: str, result: Result) -> str:
    """How large the result is, and where."""
    size = stack.n_frames * int(np.prod(stack.frame_shape)) * np.dtype(dtype).itemsize / 2**20
    text = f"{size / 1024:,.1f} GiB" if size >= 1024 else f"{max(size, 0.1):,.1f} MiB"
    place = "in memory" if result == "memory" else "computed as one looks"
    return f"Result: {text} of {dtype}, {place}."


def by_channel(names: Sequence[str], texts: Sequence[str], separator: str) -> str:
    """What is said of each channel, of the first few where there are many."""
    said = [f"{name} {text}".strip() for name, text in zip(names or ("",), texts, strict=True)]
    more = f"{separator}and {len(said) - _SAID:,} more" if len(said) > _SAID else ""
    return separator.join(said[:_SAID]) + more


def partial_status(moments: Moments) -> Array:
    """Frames and channels of a stack with NaN or infinite pixels."""
    partial = moments.count < moments.in_use
    return np.where(partial, Status.PARTIAL, 0).astype(np.uint8)


def level_table(
    stack: Stack,
    name: str,
    scaling: Scaling,
    channels: tuple[str, ...],
    *,
    per_frame: bool,
    further: dict[str, tuple[Array, str]],
) -> Table:
    """Offset, gain and more of each frame, or of the whole stack in one row."""
    columns, notes = frame_columns(stack) if per_frame else ({}, {})
    suffixes = tuple(f"_{channel}" for channel in channels) or ("",)
    everything = {
        "offset": (scaling.offset, "Value that became the base, in units of the stack."),
        "gain": (scaling.gain, "Factor on differences from the offset; 0 where nothing varied."),
        **further,
    }
    for title, (values, note) in everything.items():
        wide = np.broadcast_to(values, (len(values), len(suffixes)))
        for channel, suffix in enumerate(suffixes):
            columns[f"{title}{suffix}"] = wide[:, channel]
            notes[f"{title}{suffix}"] = note
    return Table(name, "frame" if per_frame else "object", columns, notes)


def level_plot(
    table: Table, title: str, names: tuple[str, ...], channels: tuple[str, ...], y_label: str
) -> Plot:
    """Columns of the table against the frame, for the first channels."""
    abscissa = "time" if "time" in table.columns else "frame"
    suffixes = tuple(f"_{channel}" for channel in channels[:_SHOWN_CHANNELS]) or ("",)
    return Plot(
        title,
        table.name,
        abscissa,
        tuple(
            Curve(f"{name}{suffix}", None, f"{name} {suffix[1:]}".strip())
            for suffix in suffixes
            for name in names
        ),
        table.notes[abscissa].rstrip(".") if abscissa == "time" else "Frame",
        y_label,
    )
