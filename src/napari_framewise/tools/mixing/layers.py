"""Layers that a mixture gives: fitted and residual frames, and the residuals' average."""

from __future__ import annotations

import numpy as np

from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.work import Cost
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.limits import limits_of, symmetric_limits
from napari_framewise.framework.outcome import ImageResult
from napari_framewise.framework.placing import layout_of
from napari_framewise.numerics import mixing as numerics
from napari_framewise.numerics.common.blocks import float_for
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.mixing.blocks import fitted_block, residual_block, result_dtype
from napari_framewise.tools.mixing.design import Prepared, fitted_stacks
from napari_framewise.tools.mixing.parameters import MixingParameters


def one_frame(
    stack: Stack, frames: Array, fits: numerics.MixingFit, prepared: Prepared
) -> tuple[ImageResult, ...]:
    """Residual, hidden, and fitted frame of a single frame."""
    fitted = numerics.predict(prepared.design, fits)[0]
    left = numerics.residual(frames, prepared.design, fits)[0]
    layout = layout_of(stack).still
    # the fit lies on top: residual noise would cover all
    return (
        ImageResult(
            f"residual of {stack.name}",
            layout.arranged(left),
            layout.grid,
            rgb=layout.rgb,
            colormap="PiYG",
            contrast_limits=symmetric_limits(left),
            visible=False,
        ),
        ImageResult(
            f"fit of {stack.name}",
            layout.arranged(fitted),
            layout.grid,
            rgb=layout.rgb,
            contrast_limits=limits_of(fitted),
        ),
    )


def lazy_layers(
    inputs: Inputs, prepared: Prepared, parameters: MixingParameters
) -> tuple[ImageResult, ...]:
    """Fitted and residual stacks, computed as they are looked at."""
    stack, stacks = inputs.stack("stack"), fitted_stacks(inputs)
    wanted = (
        ("fit", fitted_block, parameters.fitted, limits_of, "gray"),
        ("residual", residual_block, parameters.residual, symmetric_limits, "PiYG"),
    )
    layers, layout = [], layout_of(stack)
    for name, function, asked, limits, colormap in wanted:
        if not asked:
            continue
        data = LazyFrames(
            stacks,
            function,
            (prepared.design,),
            dtype=result_dtype(stack.dtype),
            order=layout.order,
            cost=residual_cost(stack),
        )
        layers.append(
            ImageResult(
                f"{name} of {stack.name}",
                data,
                layout.grid,
                rgb=layout.rgb,
                colormap=colormap,
                contrast_limits=limits(data.frame(0)),
                visible=False,
            )
        )
    return tuple(layers)


def mean_residual_layer(stack: Stack, averaged: numerics.ResidualTotal) -> ImageResult:
    """The residual averaged over all frames, for each pixel."""
    mean, layout = averaged.mean(), layout_of(stack).still
    return ImageResult(
        f"mean residual of {stack.name}",
        layout.arranged(mean.astype(float_for(mean))),
        layout.grid,
        rgb=layout.rgb,
        colormap="PiYG",
        contrast_limits=symmetric_limits(mean),
        visible=False,
    )


def residual_cost(stack: Stack) -> Cost:
    """Of frames minus their fit."""
    pixels = int(np.prod(stack.frame_shape))
    return Cost(scratch=24 * pixels, seconds=1e-6 + 5e-9 * pixels)
