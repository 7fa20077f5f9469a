"""Filters of the tests' own: with inputs in step, several images, a table, vectors, a grid."""

from __future__ import annotations

import time

import numpy as np
from pydantic import ConfigDict
from scipy import ndimage

from napari_framewise.framework.framemap import (
    Column,
    Filtered,
    FrameMap,
    FrameMapParameters,
    Image,
    Rows,
)
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.outcome import Outcome, Table
from napari_framewise.framework.parameters import parameter
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array


class LocalParameters(FrameMapParameters):
    size: int = parameter(3, "Size", "Side of the window.", unit="pixels", ge=1)


def local_mean(
    frames: Array,
    parameters: LocalParameters,
    mask: Array | None = None,
    guide: Array | None = None,
) -> Filtered:
    """Mean of the used pixels around every pixel, their number, and totals for each frame."""
    values = frames.astype(np.float64) + (0 if guide is None else guide)
    use = np.broadcast_to(1.0 if mask is None else (mask != 0), frames.shape).astype(float)
    size = (1, *(parameters.size,) * (frames.ndim - 1))
    weight = ndimage.uniform_filter(use, size, mode="constant")
    total = ndimage.uniform_filter(values * use, size, mode="constant")
    mean = np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 1e-12)
    rows = {"used": use.reshape(len(use), -1).sum(axis=1)}
    arrow = np.zeros((1, 2, frames.ndim - 1))
    arrow[:, 1] = 1.0
    return Filtered((mean, weight), rows, [arrow] * len(frames))


class ClippedParameters(FrameMapParameters):
    most: float | None = parameter(None, "Most", "Larger values are clipped; empty: the mean.")


def clipped(frames: Array, parameters: ClippedParameters, guide: Array | None = None) -> Array:
    """Frames (n, y, x, c) clipped, times the number of their channels, plus those of the guide."""
    assert parameters.most is not None
    extra = 0 if guide is None else guide.sum(axis=-1, keepdims=True)
    return np.minimum(frames, parameters.most) * frames.shape[-1] + extra


def mean_of_first(inputs: Inputs, parameters: ClippedParameters) -> ClippedParameters:
    """What was left open: the mean of the first frame."""
    if parameters.most is not None:
        return parameters
    return parameters.model_copy(update={"most": float(inputs.stack("stack").frame(0).mean())})


def said(inputs: Inputs, parameters: ClippedParameters) -> Outcome:
    table = Table("limit", "object", {"most": np.array([parameters.most])})
    return Outcome(tables=(table,), summary=f"Clipped at {parameters.most:g}.")


def shrunk(frames: Array, parameters: FrameMapParameters) -> Array:
    """Every frame at half its size: the mean of two by two pixels."""
    rows, columns = (length // 2 * 2 for length in frames.shape[1:])
    even = frames[:, :rows, :columns].astype(np.float64)
    return even.reshape(len(frames), rows // 2, 2, columns // 2, 2).mean(axis=(2, 4))


def local_rows(
    frames: Array,
    parameters: LocalParameters,
    rows: Rows,
    mask: Array | None = None,
    guide: Array | None = None,
) -> Filtered:
    """The same of some rows, with an arrow for every pixel of the first column that is used."""
    whole = local_mean(frames, parameters, mask, guide)
    use = np.broadcast_to(1.0 if mask is None else (mask != 0), frames.shape).astype(float)
    arrows = []
    for frame, used in zip(rows.of(frames), rows.of(use), strict=True):
        starts = np.argwhere(used[..., :1])
        moves = np.stack([frame[tuple(starts.T)]] * starts.shape[1], axis=-1)
        arrows.append(np.stack([starts, moves], axis=1))
    counts = rows.of(use).reshape(len(use), -1).sum(axis=1)
    return Filtered([rows.of(image) for image in whole.images], {"used": counts}, arrows)


def shrunk_rows(frames: Array, parameters: FrameMapParameters, rows: Rows) -> Array:
    """Some rows of every frame at half its size."""
    start = 2 * rows.asked[0] - rows.given[0]
    return shrunk(frames[:, start : start + 2 * (rows.asked[1] - rows.asked[0])], parameters)


def half(grid: Grid, parameters: FrameMapParameters) -> Grid:
    """The grid of frames at half their size."""
    halves = [length // 2 for length in grid.shape]
    return grid.cropped(*((0, 2 * length) for length in halves)).resampled(halves)


def sleep(frames: Array, parameters: FrameMapParameters) -> Array:
    """Whole-frame work that can't be interrupted."""
    time.sleep(3)
    return frames


class KernelParameters(FrameMapParameters):
    edges: bool = parameter(False, "Edges", "Give what is left, too.")


class WithTaps(KernelParameters):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    taps: np.ndarray


def with_taps(inputs: Inputs, parameters: KernelParameters) -> WithTaps:
    """The kernel that was given as an image, its sum one."""
    if isinstance(parameters, WithTaps):
        return parameters
    taps = inputs.stack("kernel").frame(0).astype(np.float64)
    return WithTaps(**dict(parameters), taps=taps / taps.sum())


def weighted(frames: Array, parameters: WithTaps) -> Filtered:
    """Every frame convolved with a kernel that was given as an image."""
    smooth = ndimage.convolve(frames.astype(np.float64), parameters.taps[None], mode="nearest")
    return Filtered((smooth, frames - smooth)[: 1 + parameters.edges])


def methods(inputs: Inputs, parameters: FrameMapParameters) -> str:
    return "Frames were filtered."


LOCAL_MEAN = FrameMap(
    name="local",
    title="Local mean",
    sentence="Mean around every pixel.",
    parameters=LocalParameters,
    function=local_mean,
    images=(Image("mean"), Image("weight", dtype="float32", visible=False)),
    inputs=(
        Input("mask", Kind.LABELS, "Mask", "Pixels to use.", least=0, several_frames=True),
        Input("guide", Kind.STACK, "Guide", "Added to the frames.", least=0),
    ),
    columns={"used": "Number of used pixels."},
    vectors="arrows",
    methods=methods,
)
LOCAL = LOCAL_MEAN.tool
LOCAL_ROWS = FrameMap(
    name="local-rows",
    title="Local mean by rows",
    sentence="Mean around every pixel.",
    parameters=LocalParameters,
    function=local_rows,
    images=(Image("mean"), Image("weight", dtype="float32", visible=False)),
    by_rows=True,
    halo=lambda parameters: parameters.size // 2,
    inputs=(
        Input("mask", Kind.LABELS, "Mask", "Pixels to use.", least=0, several_frames=True),
        Input("guide", Kind.STACK, "Guide", "Added to the frames.", least=0),
    ),
    columns={"used": Column("Number of used pixels.", np.add)},
    vectors="arrows",
    methods=methods,
).tool
SHRINK_ROWS = FrameMap(
    name="shrink-rows",
    title="Shrink by rows",
    sentence="Half the size.",
    parameters=FrameMapParameters,
    function=shrunk_rows,
    images=(Image("shrunk"),),
    by_rows=True,
    halo=lambda parameters: 1,
    grid=half,
    methods=methods,
).tool
CLIP = FrameMap(
    name="clip",
    title="Clip",
    sentence="Clip what is large.",
    parameters=ClippedParameters,
    function=clipped,
    images=(Image("clipped"),),
    inputs=(Input("guide", Kind.STACK, "Guide", "Added to the frames.", least=0),),
    settle=mean_of_first,
    report=said,
    halo=lambda parameters: 0 if parameters.most is not None else None,
    channels="colours",
    methods=methods,
).tool
KERNEL = FrameMap(
    name="kernel",
    title="Kernel",
    sentence="Convolve with an image.",
    parameters=KernelParameters,
    function=weighted,
    settle=with_taps,
    images=lambda parameters: (Image("smooth"), Image("edges"))[: 1 + parameters.edges],
    halo=lambda parameters: len(parameters.taps) // 2,
    whole=(Input("kernel", Kind.FRAME, "Kernel", "An image of weights."),),
    methods=methods,
).tool
SHRINK = FrameMap(
    name="shrink",
    title="Shrink",
    sentence="Half the size.",
    parameters=FrameMapParameters,
    function=shrunk,
    images=(Image("shrunk"),),
    grid=half,
    methods=methods,
).tool
SLEEP = FrameMap(
    name="sleep",
    title="Sleep",
    sentence="Nothing, slowly.",
    parameters=FrameMapParameters,
    function=sleep,
    methods=methods,
).tool
