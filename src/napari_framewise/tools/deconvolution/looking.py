"""A part of a frame to look at: the preview, and all methods side by side."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import numpy as np

from napari_framewise.engine.progress import Progress
from napari_framewise.framework.channels import channel_names
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.outcome import ImageResult, Outcome, Table
from napari_framewise.framework.partial import Partial
from napari_framewise.framework.placing import Layout, layout_of
from napari_framewise.framework.tool import Run
from napari_framewise.numerics.deconvolution import Method, Restored, Verdict
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.deconvolution import report
from napari_framewise.tools.deconvolution.parameters import DeconvolutionParameters
from napari_framewise.tools.deconvolution.preparing import Made, made_of
from napari_framewise.tools.deconvolution.task import RESULT, deconvolve_block

# Of a preview: pixels and iterations that are worth 0.3 s, with the reach of the kernel beside.
_PREVIEW_PIXELS, _PREVIEW_ITERATIONS = 96 * 96, 20
_COMPARED_PIXELS = 256 * 256
# Images side by side: how many in a row, and the gap between them as a share of their size.
_COLUMNS, _GAP = 3, 0.04


def preview(inputs: Inputs, parameters: DeconvolutionParameters, index: int) -> Outcome:
    """A part of a frame, with few iterations."""
    part = inputs.with_stack("stack", _middle(inputs, parameters, _PREVIEW_PIXELS))
    few = min(parameters.iterations, _PREVIEW_ITERATIONS)
    made = made_of(part, parameters.model_copy(update={"iterations": few}), part=True)
    stack, task = made.stack, made.task
    still = layout_of(stack).still
    image, block = still.empty(RESULT.dtype_for(stack.dtype, stack.rgb))
    (ended,) = deconvolve_block(
        stack.read(index, index + 1), _mask_at(made, index), task, out=block[None]
    )
    said = report.diagnostics(stack, (), task, made.notes)
    # What was ended early leaves structure that more iterations may take away.
    quiet = {Verdict.GOOD, Verdict.STOPPED}
    if few < parameters.iterations:
        quiet.add(Verdict.STRUCTURED)
    which = [one.verdict.sentence for one in ended if one.verdict not in quiet]
    said += tuple(report.what_was_found(ended))
    first = ended[0]
    return Outcome(
        layers=(layer_of(stack, image, still),),
        summary=f"{_size(stack)} pixels after {first.iterations} iterations: residual "
        f"{first.residual:.4g} beside noise of {first.noise:.4g}.",
        diagnostics=(*said, *dict.fromkeys(which)),
    )


@dataclass
class _Compared:
    """What the methods gave so far."""

    stack: Stack
    layers: list[ImageResult] = field(default_factory=list)
    rows: list[tuple[str, str, Restored]] = field(default_factory=list)

    def outcome(self, notes: tuple[str, ...]) -> Outcome:
        """Images, a row for each method, and what is said of them."""
        count = len({method for method, _, _ in self.rows})
        number = self.stack.frame_numbers[0]
        return Outcome(
            layers=tuple(self.layers),
            tables=(self._table(),),
            summary=f"{count} methods on {_size(self.stack)} pixels of frame {number}, side by "
            "side, in the order of the table; the first image is the frame.",
            diagnostics=notes,
        )

    def _table(self) -> Table:
        found = [one for _, _, one in self.rows]
        columns: dict[str, Array] = {"method": np.array([method for method, _, _ in self.rows])}
        if any(channel for _, channel, _ in self.rows):
            columns["channel"] = np.array([channel for _, channel, _ in self.rows])
        columns |= report.measures(found)
        notes = {"method": "Name of the method.", "channel": "Name of the channel.", **report.NOTES}
        return Table("methods", "object", columns, {n: t for n, t in notes.items() if n in columns})


def side_by_side(inputs: Inputs, parameters: DeconvolutionParameters) -> Run:
    """Every method on the middle of the first frame, their images beside each other."""
    part = inputs.with_stack("stack", _middle(inputs, parameters, _COMPARED_PIXELS))
    methods: tuple[Method, ...] = get_args(Method)
    compared: _Compared | None = None
    notes: tuple[str, ...] = ()
    for number, method in enumerate(methods):
        own = {} if method == parameters.method else {"weight": None}
        made = made_of(part, parameters.model_copy(update={"method": method, **own}), part=True)
        stack, task = made.stack, made.task
        if not stack.n_frames:
            raise ValueError(f"{stack.name} holds no frames; choose at least one.")
        still = layout_of(stack).still
        frame, masks = stack.read(0, 1)[0], _mask_at(made, 0)
        if compared is None:
            compared, notes = _Compared(stack), made.notes
            given, block = still.empty(stack.dtype)
            block[...] = frame
            limits = limits_of(np.asarray(given))
            compared.layers.append(_tile(stack, given, still, "blurred", 0, limits))
        ended = []
        for channel in range(max(1, task.channels)):
            steps = task.restoring(frame, None if masks is None else masks[0], channel)
            ended.append((yield from _stepped(steps, number, len(methods))))
        image, block = still.empty(RESULT.dtype_for(stack.dtype, stack.rgb))
        block[...] = task.fitted([one.image for one in ended], frame, block.dtype)
        compared.layers.append(_tile(stack, image, still, method, number + 1, limits))
        names = channel_names(stack) or ("",) * len(ended)
        compared.rows += [(method, n, one) for n, one in zip(names, ended, strict=False)]
        yield Partial(compared.outcome(notes))
    yield Progress("Comparing", len(methods), len(methods), "methods")
    assert compared is not None
    return compared.outcome(notes)


def _stepped(
    steps: Generator[Restored, None, Restored], number: int, count: int
) -> Generator[Progress, None, Restored]:
    """The end of iterations, with a look at who wants them to end at each."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            restored: Restored = end.value
            return restored
        yield Progress("Comparing", number, count, "methods")


def _tile(
    stack: Stack, image: Any, still: Layout, name: str, number: int, limits: tuple[float, float]
) -> ImageResult:
    """An image in its place among those side by side."""
    spatial = stack.spatial_grid
    row, column = divmod(number, _COLUMNS)
    moved = {
        name: step * math.ceil((1 + _GAP) * length)
        for name, length, step in zip(
            spatial.names[::-1], spatial.shape[::-1], (column, row), strict=False
        )
    }
    axes = tuple(
        replace(axis, translate=axis.translate + moved.get(axis.name, 0) * axis.scale)
        for axis in still.grid.axes
    )
    return ImageResult(
        f"{stack.name} {name}",
        image,
        Grid(axes, still.grid.shape, role=still.grid.role),
        rgb=still.rgb,
        contrast_limits=limits,
    )


def layer_of(stack: Stack, data: Any, layout: Layout) -> ImageResult:
    """The restored frames as a layer."""
    return ImageResult(
        f"{stack.name} {RESULT.name}",
        data,
        layout.grid,
        rgb=layout.rgb,
        contrast_limits=limits_of(np.asarray(data)),
    )


def _middle(inputs: Inputs, parameters: DeconvolutionParameters, pixels: int) -> Stack:
    """The stack with its middle chosen, of so many pixels and what the kernel reaches."""
    stack = inputs.stack("stack")
    quick = parameters.model_copy(update={"iterations": 1, "method": "landweber"})
    made = made_of(inputs, quick, part=True)
    reach = made.task.prepared[0].blur.reach
    height, width = made.stack.spatial_shape[-2:] if len(reach) > 1 else (0, 0)
    if not height:
        return stack
    planes = math.prod(made.stack.spatial_shape[:-2])
    side = math.isqrt(max(16, pixels // max(1, planes)))
    region = stack.selection.region or ((0, height), (0, width))
    chosen = []
    for (start, stop), r in zip(region, reach[-2:], strict=True):
        length = min(stop - start, max(side + 2 * r, 2 * r + 1))
        first = start + (stop - start - length) // 2
        chosen.append((first, first + length))
    return stack.select(replace(stack.selection, region=(chosen[0], chosen[1])))


def _mask_at(made: Made, index: int) -> Array | None:
    """The mask of one frame, (1, ...)."""
    if made.mask is None:
        return None
    at = index if made.mask.n_frames > 1 else 0
    return made.mask.read(at, at + 1)


def _size(stack: Stack) -> str:
    return " x ".join(map(str, stack.spatial_shape))
