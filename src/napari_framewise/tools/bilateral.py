"""Bilateral filter: smooth where a frame is alike, keep its edges."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from napari_framewise.framework.framemap import (
    Filtered,
    FrameMap,
    FrameMapParameters,
    Image,
    Rows,
)
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.lengths import Length
from napari_framewise.framework.limits import symmetric_limits
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.parameters import parameter
from napari_framewise.numerics.bilateral import (
    CELLS,
    accuracy_of,
    bilateral_filter,
    choose,
    reach,
)
from napari_framewise.numerics.noise import sigma_of_image
from napari_framewise.stacks.source import Array
from napari_framewise.tools.common.mask_input import mask_input

_TIMES_NOISE = 2.5
_OF_RANGE = 0.1
_NOISE_FRAMES, _NOISE_SIDE = 3, 512
_NDIM = (2, 3)


class BilateralParameters(FrameMapParameters):
    """Parameters of the bilateral filter."""

    sigma: Length = parameter(
        "3px",
        "Sigma in space",
        "Standard deviation of the weights in space: one length, or one for each axis. The window "
        "reaches three times as far.",
        ge=0,
    )
    range_sigma: float | None = parameter(
        None,
        "Sigma of the range",
        "Standard deviation of the weights in the pixels' values, or in the guide's: what differs "
        "by more stays apart. Of colours their distance counts. Empty: 2.5 times the noise, "
        "measured in up to three frames, or a tenth of the range where there is none.",
        unit="values",
        gt=0,
    )
    method: Literal["automatic", "exact", "grid"] = parameter(
        "automatic",
        "Method",
        "The sum over the window itself (exact), a coarse grid of space and range, or the faster "
        "of them that is as accurate as asked for.",
    )
    accuracy: float = parameter(
        65.0,
        "Accuracy",
        "How near the grid must come to the exact sum: 20 log10 of the range of values over the "
        "rms error. 65 dB is an error of 0.06 % of the range.",
        unit="dB",
        ge=20,
        le=120,
        rare=True,
        shown_when={"method": ("automatic", "grid")},
    )
    per_sigma: int | None = parameter(
        None,
        "Cells per sigma",
        "Cells of the grid in a standard deviation; empty: as few as the accuracy asks for.",
        rare=True,
        ge=1,
        le=8,
        shown_when={"method": ("automatic", "grid")},
    )

    @property
    def widths(self) -> tuple[float, ...]:
        """Sigma in pixels for each axis, once it is settled."""
        return self.sigma.values

    @property
    def cells(self) -> int | None:
        """Cells per sigma of the grid; None for the exact sum."""
        return self.per_sigma if self.method == "grid" else None


def bilateral(
    frames: Array,
    parameters: BilateralParameters,
    guide: Array | None = None,
    mask: Array | None = None,
    *,
    rows: Rows,
) -> Filtered:
    """The base of a block of frames (n, *frame, c), and what is left: their detail."""
    first = rows.given[0]
    asked = (rows.asked[0] - first, rows.asked[1] - first)
    base = bilateral_filter(
        frames,
        parameters.widths,
        float(parameters.range_sigma or 0),
        guide=guide,
        mask=_plain(mask),
        per_sigma=parameters.cells,
        rows=asked,
        start=first,
    )
    return Filtered((base, rows.of(frames) - base))


def settle(inputs: Inputs, parameters: BilateralParameters) -> BilateralParameters:
    """Sigmas in pixels and values, and the method: from the frame in the middle."""
    stack = inputs.stack("stack")
    chosen: dict[str, Any] = {}
    if len(stack.spatial_shape) not in _NDIM:
        raise ValueError(
            f"{stack.name} holds {stack.summary()}; frames of rows and columns, or of planes of "
            "them, are needed."
        )
    axes = stack.spatial_grid.axes
    chosen["sigma"] = Length(parameters.sigma.in_pixels(axes, "Sigma in space"))
    if parameters.range_sigma is None:
        chosen["range_sigma"] = _range_sigma(inputs, parameters)
    parameters = parameters.model_copy(update=chosen)
    if parameters.method == "exact" or parameters.cells is not None:
        return parameters
    frames, further = BILATERAL.sample(inputs, parameters, stack.n_frames // 2)
    guide = further["guide"]
    if parameters.method == "grid" and (frames if guide is None else guide).shape[-1] > 1:
        raise ValueError(
            "The grid takes a guide of one channel, but colours were given; choose the exact sum, "
            "or a grey guide."
        )
    per_sigma = choose(
        frames,
        parameters.widths,
        float(parameters.range_sigma or 0),
        parameters.accuracy,
        guide=guide,
        mask=_plain(further["mask"]),
        cells=CELLS if parameters.per_sigma is None else (parameters.per_sigma,),
        exact=parameters.method == "automatic",
    )
    if per_sigma is None:
        return parameters.model_copy(update={"method": "exact"})
    return parameters.model_copy(update={"method": "grid", "per_sigma": per_sigma})


def report(inputs: Inputs, parameters: BilateralParameters) -> Outcome:
    """Which sum it was, how near to the exact one, and what the sigma of the range was."""
    stack = inputs.stack("stack")
    index = stack.n_frames // 2
    frames, further = BILATERAL.sample(inputs, parameters, index)
    range_sigma = float(parameters.range_sigma or 0)
    there = accuracy_of(
        frames,
        parameters.widths,
        range_sigma,
        parameters.cells,
        guide=further["guide"],
        mask=_plain(further["mask"]),
    )
    said = [f"Sigma {space(parameters)} in space, {range_sigma:.4g} in range;", way(parameters)]
    diagnostics = []
    if math.isnan(there.decibels):
        diagnostics.append(f"Frame {index} holds no data, so no accuracy was measured.")
    else:
        size = f"{there.decibels:.1f} dB"
        size = "no difference" if math.isinf(there.decibels) else size
        said.append(f"{size} against the direct sum on {there.places} pixels of frame {index}.")
        if parameters.cells is not None and there.decibels < parameters.accuracy:
            diagnostics.append(
                f"The grid reaches {there.decibels:.1f} dB there, less than the "
                f"{parameters.accuracy:g} dB asked for; more cells per sigma or the exact sum come "
                "nearer."
            )
    return Outcome(summary=" ".join(said), diagnostics=tuple(diagnostics))


def warm_up() -> None:
    """Compile what frames of up to 16 bits and float32 need, whichever way is taken."""
    frame = np.zeros((1, 4, 4, 1), np.float32)
    for per_sigma in (None, 1):
        bilateral_filter(frame, 4.0, 1.0, per_sigma=per_sigma)


def space(parameters: BilateralParameters) -> str:
    """The sigma in space in words: one number where it is the same along all axes."""
    widths = parameters.widths
    shown = widths[:1] if len(set(widths)) == 1 else widths
    return ", ".join(f"{each:g}" for each in shown) + " px"


def way(parameters: BilateralParameters) -> str:
    """The method in words."""
    if parameters.cells is None:
        return "the exact sum,"
    noun = "cell" if parameters.cells == 1 else "cells"
    return f"a grid of {parameters.cells} {noun} per sigma,"


def methods(inputs: Inputs, parameters: BilateralParameters) -> str:
    """Sentence for the methods part of a paper."""
    settled = settle(inputs, parameters)
    guided = "guided by another image " if inputs.optional_stack("guide") else ""
    source = (
        "" if settled.cells is None else ", computed on a bilateral grid (Paris & Durand, 2009)"
    )
    return (
        f"Frames were smoothed by a bilateral filter {guided}(Tomasi & Manduchi, 1998) with a "
        f"sigma of {space(settled)} in space and {settled.range_sigma:.4g} in range{source}."
    )


def _plain(mask: Array | None) -> Array | None:
    return None if mask is None else mask[..., 0]


def _range_sigma(inputs: Inputs, parameters: BilateralParameters) -> float:
    """The sigma of the range that noise asks for, or that the range does where there is none."""
    count = inputs.stack("stack").n_frames
    found, spans = [], []
    for index in sorted({0, count // 2, max(0, count - 1)})[:_NOISE_FRAMES]:
        frames, further = BILATERAL.sample(inputs, parameters, index)
        guide, mask = further["guide"], further["mask"]
        leading = _middle(frames[0] if guide is None else guide[0])
        valid = None if mask is None or guide is not None else _middle(mask[0])[..., 0] != 0
        channels = [sigma_of_image(each, valid) for each in np.moveaxis(leading, -1, 0)]
        # Distances of colours hold the noise of all of them.
        found.append(math.hypot(*channels))
        usable = np.isfinite(leading) if valid is None else np.isfinite(leading) & valid[..., None]
        values = leading[usable]
        spans.append(float(values.max()) - float(values.min()) if values.size else 0.0)
    known = [each for each in found if each > 0]
    if known:
        return _TIMES_NOISE * float(np.median(known))
    return _OF_RANGE * max(spans) or 1.0


def _middle(frame: Array) -> Array:
    keys = []
    for length in frame.shape[:-1]:
        start = max(0, (length - _NOISE_SIDE) // 2)
        keys.append(slice(start, start + _NOISE_SIDE))
    return frame[tuple(keys)]


BILATERAL = FrameMap(
    name="bilateral",
    title="Bilateral filter",
    sentence="Smooth where a frame is alike, and keep its edges: its base, and the detail left.",
    parameters=BilateralParameters,
    function=bilateral,
    images=(
        Image("base", dtype="shown"),
        Image("detail", visible=False, limits=symmetric_limits),
    ),
    inputs=(
        Input(
            "guide",
            Kind.STACK,
            "Guide",
            "Joint filtering: pixels go together where they are alike in this image (one for all "
            "frames, or one for each; grey or coloured) instead of in the frames themselves.",
            least=0,
        ),
        mask_input("use", "What lies under the rest changes nothing."),
    ),
    channels="colours",
    by_rows=True,
    settle=settle,
    report=report,
    halo=lambda parameters: reach(parameters.widths, parameters.cells),
    scratch=160.0,
    methods=methods,
    warm_up=warm_up,
    compile_seconds=3,
    citations=(
        "Tomasi, C. and Manduchi, R. (1998), Proc. ICCV, 839-846",
        "Paris, S. and Durand, F. (2009), Int. J. Comput. Vision 81, 24-52",
    ),
)
TOOL = BILATERAL.tool
