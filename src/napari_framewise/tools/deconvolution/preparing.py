"""Inputs of deconvolution made ready: the frames, the kernels, and what goes with every block."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from napari_framewise.framework.channels import with_channels
from napari_framewise.framework.in_step import in_step
from napari_framewise.framework.inputs import Inputs
from napari_framewise.numerics.deconvolution import Settings, check_kernel, is_delta, prepare
from napari_framewise.numerics.psf import centroid, kernel_of
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.stacks.units import CENTIMETRES, unit_name
from napari_framewise.tools.deconvolution.parameters import DeconvolutionParameters
from napari_framewise.tools.deconvolution.task import Task, decoded
from napari_framewise.tools.psf import PSF

_SAME_SIZE = 0.01
_FLAT_SHARE = 0.1
# Pixels from which on a centroid beside the origin is told of.
_DISPLACED = 0.1


@dataclass(frozen=True, eq=False)
class Made:
    """What a run is made from.

    Attributes
    ----------
    stack : Stack
        The frames, with their channel axis.
    mask : Stack, optional
        In step with them.
    task : Task
    kernels : tuple of ndarray
        Of each channel, or one for all.
    notes : tuple of str
        What should be known of the PSF.
    """

    stack: Stack
    mask: Stack | None
    task: Task
    kernels: tuple[Array, ...]
    notes: tuple[str, ...]


def made_of(inputs: Inputs, parameters: DeconvolutionParameters, part: bool = False) -> Made:
    """Frames, kernels and task.

    Parameters
    ----------
    inputs : Inputs
    parameters : DeconvolutionParameters
    part : bool
        Whether the frames are a part of what will be restored, for a preview: a PSF that is larger
        than the part, but not than the whole, is cut to it.

    Raises
    ------
    ValueError
        In one sentence, where PSF and frames don't fit.
    """
    stack, kernels, notes, full = _fitting(inputs, parameters, part)
    mask = inputs.optional_stack("mask")
    mask = mask and in_step(mask, stack, "Mask")
    settings = settings_of(parameters, stack)
    prepared = tuple(prepare(kernel, stack.spatial_shape, settings) for kernel in kernels)
    task = Task(prepared, channels_of(stack), parameters.saturation, full)
    return Made(stack, mask, task, kernels, notes)


def checked(inputs: Inputs, parameters: DeconvolutionParameters) -> Stack:
    """The frames, where the PSF fits them.

    Raises
    ------
    ValueError
        In one sentence, where it doesn't.
    """
    return _fitting(inputs, parameters, False)[0]


def _fitting(
    inputs: Inputs, parameters: DeconvolutionParameters, part: bool
) -> tuple[Stack, tuple[Array, ...], tuple[str, ...], float | None]:
    """Frames, kernels that fit them, what should be known, and the value of full light."""
    stack = with_channels(inputs.stack("stack"), parameters.channels_along)
    full = _full_light(stack) if parameters.light == "srgb" else None
    kernels, notes = kernels_of(inputs, parameters, stack, full)
    channels = channels_of(stack)
    if len(kernels) > 1 and len(kernels) < channels:
        raise ValueError(
            f"The PSF has {len(kernels)} channels, but the frames have {channels}; give one PSF "
            "for each channel, or one for all."
        )
    whole = stack.select(replace(stack.selection, region=None)) if part else stack
    for kernel in kernels:
        check_kernel(kernel, whole.spatial_shape)
    if part:
        kernels = tuple(_cut(kernel, stack.spatial_shape) for kernel in kernels)
    return stack, kernels, notes, full


def channels_of(stack: Stack) -> int:
    """How many channels are restored; 0 where there is no such axis."""
    return min(stack.channels, 3) if stack.rgb else stack.channels


def _cut(kernel: Array, shape: tuple[int, ...]) -> Array:
    """The middle of a kernel, no larger than a frame, of unit sum."""
    off = [max(0, (k - n + 1) // 2) for k, n in zip(kernel.shape, shape, strict=True)]
    if not any(off):
        return kernel
    middle = kernel[tuple(slice(o, k - o) for o, k in zip(off, kernel.shape, strict=True))]
    total = float(middle.sum())
    return np.asarray(middle / total) if total > 0 else kernel


def settings_of(parameters: DeconvolutionParameters, stack: Stack) -> Settings:
    """What the numerics are asked for, with the size of the frames' pixels."""
    axes = stack.spatial_grid.axes
    units = {axis.unit for axis in axes}
    sizes = tuple(abs(axis.scale) or 1.0 for axis in axes)
    # Sizes in different units say nothing of each other.
    spacing = sizes if len(units) == 1 else (1.0,) * len(axes)
    given = {name: getattr(parameters, name) for name in _SHARED}
    return Settings(**given, spacing=spacing)


_SHARED = (
    "method", "boundary", "noise", "weight", "iterations", "tolerance", "non_negative", "floor",
)  # fmt: skip


def kernels_of(
    inputs: Inputs, parameters: DeconvolutionParameters, stack: Stack, full: float | None
) -> tuple[tuple[Array, ...], tuple[str, ...]]:
    """The kernel of each channel or one for all, and what should be known of them.

    Raises
    ------
    ValueError
        Where no PSF was given, or two, or one that can be none.
    """
    image = inputs.optional_stack("psf")
    models = inputs["psf_model"]
    if (image is None) == (not models):
        given = "No PSF was" if image is None else "Two PSFs were"
        raise ValueError(
            f"{given} given; give one as an image (PSF image) or as a model (PSF model)."
        )
    notes: list[str] = []
    if image is None:
        (model,) = models
        assert isinstance(model, PSF)
        kernels = model.kernels
        axes = [
            Axis("", scale, 0.0, unit)
            for scale, unit in zip(model.source.scale, model.source.units, strict=True)
        ]
    else:
        image = _as_frame(image, stack)
        axes = list(image.spatial_grid.axes)
        values = np.asarray(image.frame(0), np.float64)
        if full is not None:
            values = decoded(values / _full_light(image)) * _full_light(image)
        parts = [values]
        if image.channels:
            count = min(image.channels, 3) if image.rgb else image.channels
            parts = [values[..., channel] for channel in range(count)]
            if not stack.channels:
                parts = [sum(parts[1:], parts[0])]
        kernels = tuple(_kernel(each, parameters, notes) for each in parts)
    notes += _other_pixels(axes, stack)
    notes += _displaced(kernels)
    if all(is_delta(kernel) for kernel in kernels):
        notes.append(
            "The PSF is a single pixel: it blurs nothing, so there is nothing to deconvolve."
        )
    return kernels, tuple(dict.fromkeys(notes))


def _as_frame(image: Stack, stack: Stack) -> Stack:
    """A PSF image as one image with as many axes as a frame of the stack."""
    wanted = len(stack.spatial_shape)
    inside = len(image.axes) - (image.channel_axis is not None)
    if len(image.spatial_shape) != wanted and inside == wanted:
        whole = replace(image.selection, frames_along=(), frames=None)
        image = image.select(whole)
    if image.n_frames != 1 or len(image.spatial_shape) != wanted:
        axes = "planes" if wanted == 2 else f"images of {wanted} axes"
        raise ValueError(
            f"The PSF holds {image.summary()}, but the frames are {axes}; give one PSF image with "
            f"{wanted} axes, or choose other axes for the frames to run along."
        )
    return image


def _kernel(values: Array, parameters: DeconvolutionParameters, notes: list[str]) -> Array:
    """The kernel that a PSF image is."""
    border = _border(values)
    if parameters.psf_background == "border" and border.size:
        values = values - float(np.median(border))
    elif border.size and np.isfinite(values).all():
        level, spread = (
            float(np.median(border)),
            float(np.median(np.abs(border - np.median(border)))),
        )
        share = level * values.size / float(values.sum()) if values.sum() > 0 else 0.0
        # A tail that was cut off falls towards the corners; a background is flat.
        if share > _FLAT_SHARE and spread < 0.1 * level:
            notes.append(
                f"The border of the PSF image is flat and holds {share:.0%} of its light, as a "
                "background would: measure it with the tool PSF, or take its border off."
            )
    return kernel_of(values, parameters.psf_origin)


def _border(values: Array) -> Array:
    """The outermost pixels of an image that has an inside."""
    if min(values.shape, default=0) < 5:
        return np.empty(0)
    edge = np.ones(values.shape, bool)
    edge[(slice(1, -1),) * values.ndim] = False
    return np.asarray(values[edge])


def _displaced(kernels: tuple[Array, ...]) -> list[str]:
    """That a PSF is not centred, which moves the result: no residual shows that."""
    said = []
    for kernel in kernels:
        off = centroid(kernel) - (np.array(kernel.shape) // 2)
        if np.abs(off).max() > _DISPLACED:
            named = ", ".join(f"{each:+.3g}" for each in off)
            moved = ", ".join(f"{-each:+.3g}" for each in off)
            said.append(
                f"The centroid of the PSF lies {named} pixels from its origin (row before column): "
                f"the result is moved by {moved} against the frame. The residual does not show "
                "that; take the centroid for the origin where it is not meant."
            )
    return said


def _other_pixels(axes: list[Axis], stack: Stack) -> list[str]:
    """That the PSF has pixels of another size than the frames, where both say theirs."""
    ratios = []
    for own, frame in zip(axes, stack.spatial_grid.axes, strict=False):
        sizes = [
            abs(each.scale) * CENTIMETRES.get(unit_name(each.unit) or "", 0.0)
            for each in (own, frame)
        ]
        if all(sizes):
            ratios.append(sizes[0] / sizes[1])
    if all(abs(ratio - 1) <= _SAME_SIZE for ratio in ratios):
        return []
    named = ", ".join(f"{ratio:.3g}" for ratio in ratios)
    said = (
        f"The PSF's pixels are {named} times as large as the frames': it is taken pixel by pixel, "
        "which is wrong; measure it at the frames' scale."
    )
    return [said]


def _full_light(stack: Stack) -> float:
    """The value that stands for full light: the largest of the type, 1 of floats."""
    kind = stack.source.dtype
    return float(np.iinfo(kind).max) if kind.kind in "ui" else 1.0
