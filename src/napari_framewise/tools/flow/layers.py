"""Layers of a flow: arrows, dense fields, colours with their wheel, warped images and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.work import Cost
from napari_framewise.framework.channels import channel_names
from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.outcome import ImageResult, Placing, Table, VectorsResult
from napari_framewise.numerics.flow import legend, warped_dtype
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of
from napari_framewise.tools.flow.blocks import (
    PairResult,
    colour_block,
    component_block,
    confidence_block,
    inverse_block,
    warped_block,
)
from napari_framewise.tools.flow.model import FlowModel
from napari_framewise.tools.flow.pairs import Pairs, cut
from napari_framewise.tools.flow.parameters import FlowParameters
from napari_framewise.tools.flow.units import Motion

_COLORMAPS = {"direction": "hsv", "magnitude": "viridis", "confidence": "viridis"}
_COLOR_LIMITS = {"direction": (0.0, 360.0), "confidence": (0.0, 1.0)}
_WHEEL_SHARE = 5


@dataclass(frozen=True, eq=False)
class Lying:
    """Where results of the pairs lie.

    Attributes
    ----------
    leading, grid : tuple of Axis
        Axes of the frames, and of a frame's pixels.
    lengths : tuple of int
        Of the leading axes.
    role : str
        Role of the input that they lie like.
    """

    leading: tuple[Axis, ...]
    grid: tuple[Axis, ...]
    lengths: tuple[int, ...]
    role: str

    @classmethod
    def of(cls, pairs: Pairs) -> Lying:
        """Where the first frames of the pairs lie."""
        like = pairs.like
        return cls(like.leading_axes, pairs.grid, like.leading_shape, pairs.role)

    @property
    def still(self) -> Lying:
        """The same for a single pair, without axes of frames."""
        return replace(self, leading=(), lengths=())

    @property
    def placing(self) -> Placing:
        """For layers of all pairs."""
        return Placing((*self.leading, *self.grid), self.role)


def fields_stack(fields: object, lying: Lying) -> Stack:
    """The dense fields (*leading, *grid, parts) as a stack of frames."""
    names = [f"frames {number}" for number in range(len(lying.lengths))]
    names += [f"pixels {number}" for number in range(len(lying.grid))]
    stack = stack_of(fields, axes=(*names, "part"), name="flow")
    return stack.select(replace(stack.selection, frames_along=tuple(range(len(lying.lengths)))))


def vector_layer(
    name: str,
    results: Sequence[PairResult],
    numbers: Array,
    lying: Lying,
    parameters: FlowParameters,
    motion: Motion,
) -> VectorsResult:
    """Arrows at the picked pixels of every pair."""
    ndim = len(lying.grid)
    lead = len(lying.lengths)
    counts = [len(result.starts) for result in results]
    moves = np.concatenate([result.moves for result in results]).astype(np.float32)
    data = np.zeros((len(moves), 2, lead + ndim), np.float32)
    data[:, 0, lead:] = np.concatenate([result.starts for result in results])
    data[:, 1, lead:] = moves
    which = np.repeat(np.arange(len(results)), counts)
    if lead:
        data[:, 0, :lead] = np.stack(np.unravel_index(which, lying.lengths), axis=-1)
    scale = np.array([axis.scale for axis in lying.grid])
    scaled = moves * scale
    columns: dict[str, Array] = {
        "frame": numbers[which],
        "u": moves[:, -1],
        "v": moves[:, -2],
        "magnitude": np.sqrt(np.sum(moves.astype(np.float64) ** 2, axis=1)),
        "direction": np.degrees(np.arctan2(-scaled[:, -2], scaled[:, -1])) % 360,
        "confidence": np.concatenate([result.sureness for result in results]),
    }
    notes = {
        "frame": "Number of the first frame of the pair.",
        "u": "Displacement to the right, in pixels per frame.",
        "v": "Displacement downwards, in pixels per frame.",
        "magnitude": "Size of the displacement, in pixels per frame.",
        "direction": "In degrees, from the right counter-clockwise.",
        "confidence": "0 to 1; 0.5 is an uncertainty of one pixel.",
    }
    if ndim == 3:
        columns["w"] = moves[:, 0]
        notes["w"] = "Displacement along the first axis, in pixels per frame."
    if motion.speed is not None:
        columns["speed"] = motion.speed * np.sqrt(np.sum(scaled.astype(np.float64) ** 2, axis=1))
        notes["speed"] = f"In {motion.speed_unit}."
    return VectorsResult(
        f"{name} flow",
        data,
        lying.placing,
        features=Table("vectors", "object", columns, notes),
        color_by=parameters.colour_by,
        colormap=_COLORMAPS[parameters.colour_by],
        color_limits=_COLOR_LIMITS.get(parameters.colour_by),
        width=max(0.5, parameters.step / 10),
    )


def dense_layers(
    name: str, fields: Stack, lying: Lying, parameters: FlowParameters, largest: float
) -> list[ImageResult]:
    """The dense fields that are asked for."""
    shape = fields.frame_shape[:-1]
    ndim = len(shape)
    reach = largest if largest > 0 else 1.0
    layers: list[ImageResult] = []
    planar = ndim == 2
    if parameters.field in ("colour", "both") and planar:
        lazy = LazyFrames(fields, colour_block, (reach,), dtype=np.uint8, frame_shape=(*shape, 3))
        layers.append(
            ImageResult(f"{name} flow colours", lazy, lying.placing, rgb=True, visible=False)
        )
        layers.append(_wheel(name, shape, lying, reach))
    if parameters.field in ("components", "both") or (parameters.field == "colour" and not planar):
        for part, axis in enumerate(lying.grid):
            lazy = LazyFrames(fields, component_block, (part,), dtype=np.float32, frame_shape=shape)
            layers.append(
                ImageResult(
                    f"{name} flow along {axis.name}",
                    lazy,
                    lying.placing,
                    contrast_limits=(-reach, reach),
                    colormap="PiYG",
                    visible=False,
                    metadata={"flow": {"component": part, "unit": "pixels per frame"}},
                )
            )
    if parameters.confidence:
        lazy = LazyFrames(fields, confidence_block, dtype=np.float32, frame_shape=shape)
        layers.append(
            ImageResult(
                f"{name} flow confidence",
                lazy,
                lying.placing,
                contrast_limits=(0.0, 1.0),
                colormap="viridis",
                visible=False,
            )
        )
    for wanted, title, part in (
        (parameters.uncertainty, "uncertainty", ndim),
        (parameters.structure, "structure", ndim + 1),
    ):
        if not wanted:
            continue
        labels = title == "structure"
        lazy = LazyFrames(
            fields,
            component_block,
            (part,),
            dtype=np.uint8 if labels else np.float32,
            frame_shape=shape,
        )
        layers.append(
            ImageResult(
                f"{name} flow {title}",
                lazy,
                lying.placing,
                kind="labels" if labels else "image",
                contrast_limits=None if labels else (0.0, 2.0),
                visible=False,
            )
        )
    return layers


def warped_layer(
    moving: Stack, fields: Stack, lying: Lying, *, title: str = "warped", labels: bool = False
) -> ImageResult:
    """Frames pulled back by the flow, as they are looked at."""
    channels = bool(channel_names(moving))
    pixels = int(np.prod(moving.frame_shape))
    dtype = moving.dtype.newbyteorder("=") if labels else warped_dtype(moving.dtype)
    lazy = LazyFrames(
        (fields, moving),
        warped_block,
        (channels, labels),
        dtype=dtype,
        frame_shape=moving.frame_shape,
        cost=Cost(scratch=64 * pixels, seconds=1e-7 * pixels),
    )
    axes = lying.placing.axes
    if channels and not moving.rgb:
        axes = (*axes, moving.grid[-1])
    return ImageResult(
        f"{moving.name} {title}",
        lazy,
        Placing(axes, lying.role),
        kind="labels" if labels else "image",
        rgb=moving.rgb and channels,
        contrast_limits=None if labels else limits_of(moving.frame(0)),
        visible=False,
    )


def followed(
    moving: Stack, model: FlowModel, role: str, *, forward: bool, labels: bool
) -> ImageResult:
    """Another stack moved by a flow: its second frames back, or its first frames forward.

    Raises
    ------
    ValueError
        Where its frames do not fit the flow.
    """
    channels = bool(channel_names(moving))
    shape = moving.frame_shape[:-1] if channels else moving.frame_shape
    wanted = model.displacement.shape[2:]
    if shape != wanted:
        raise ValueError(
            f"The flow is that of frames of {_size(wanted)} pixels, but {moving.name} has frames "
            f"of {_size(shape)}; they must be alike."
        )
    firsts, seconds = model.frames_of(moving.n_frames, moving.name)
    taken, shown = (firsts, seconds) if forward else (seconds, firsts)
    if len(taken) < moving.n_frames:
        moved, like = (cut(moving, each.start, each.stop) for each in (taken, shown))
    else:
        moved = like = moving
    grid = like.grid[:-1] if channels else like.grid
    lying = Lying(like.leading_axes, grid, like.leading_shape, role)
    displacement = np.broadcast_to(
        model.displacement, (like.n_frames, *model.displacement.shape[1:])
    )
    parts = np.moveaxis(displacement, 1, -1)
    fields = fields_stack(parts.reshape(*lying.lengths, *parts.shape[1:]), lying)
    if forward:
        back = LazyFrames(
            fields, inverse_block, (len(grid),), dtype=np.float32, frame_shape=fields.frame_shape
        )
        fields = fields_stack(back, lying)
    title = "moved" if forward else "warped"
    return warped_layer(moved, fields, lying, title=title, labels=labels)


def _wheel(name: str, shape: tuple[int, ...], lying: Lying, reach: float) -> ImageResult:
    """The legend, beside the image, as wide as a fifth of it."""
    size = max(9, min(shape) // _WHEEL_SHARE)
    across = lying.grid[1]
    beside = across.translate + across.scale * (shape[1] + size // 8)
    axes = (lying.grid[0], replace(across, translate=beside))
    return ImageResult(
        f"{name} colour wheel, {reach:.3g} px at its rim",
        legend(size),
        Placing(axes, lying.role),
        rgb=True,
        visible=False,
    )


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
