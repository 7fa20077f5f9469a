"""Noise level: of each frame by itself, or of a detector from frames of one scene."""

from __future__ import annotations

from typing import Literal

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.work import Cost, MapFrames, Reduce
from napari_framewise.framework.framemap import channels_parameter
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.masks import Measured, measured
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics.noise import Transfer, photon_transfer
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.common.mask_input import mask_input
from napari_framewise.tools.noise_level.passes import Still, blind_block, still
from napari_framewise.tools.noise_level.report import (
    curve_plots,
    curve_tables,
    detector_diagnostics,
    detector_summary,
    detector_table,
    frame_diagnostics,
    frame_plot,
    frame_summary,
    frame_table,
)

INPUTS = (
    Input("stack", Kind.STACK, "Stack", "The frames whose noise is measured."),
    Input(
        "dark",
        Kind.STACK,
        "Dark frames",
        "Frames without light from the same detector, for its offset and read noise: of frames of "
        "one scene only.",
        least=0,
        same_frame_as="stack",
    ),
    mask_input("measure"),
)


class NoiseLevelParameters(Parameters):
    """Parameters of the noise level."""

    method: Literal["single", "repeated"] = parameter(
        "single",
        "Method",
        "Single: every frame by itself, whatever it shows. Repeated: all frames show one scene "
        "that stands still; how their noise grows with brightness gives the detector's gain.",
    )
    saturation: float | None = parameter(
        None,
        "Saturation",
        "Values from here on are left out; empty: the largest that the type holds.",
        unit="counts",
        shown_when={"method": "repeated"},
        rare=True,
    )
    channels_along: int | None = channels_parameter()


def run(inputs: Inputs, parameters: NoiseLevelParameters, engine: Engine) -> Run:
    """Measure the noise of every frame, or of the detector."""
    given = _measured(inputs, parameters)
    stack = given.stack
    if parameters.method == "single":
        blocks = yield from run_pass(
            MapFrames(),
            blind_block,
            given.stacks,
            (given.fixed, bool(given.names)),
            engine=engine,
            cost=_cost(stack),
            label="Measuring",
        )
        found = np.concatenate(blocks)
        table = frame_table(stack, given.names, found)
        return Outcome(
            tables=(table,),
            plots=(frame_plot(table, given.names),),
            summary=frame_summary(stack, given.names, found),
            diagnostics=frame_diagnostics(stack, found),
        )
    lit = yield from still(stack, _fixed(given), engine, "Measuring")
    dark = None
    below = _dark(inputs)
    if below is not None:
        dark = yield from still(below, _fixed(given), engine, "Measuring the dark")
    fits = _fits(given, parameters, lit, dark)
    curves = curve_tables(given.names, fits)
    known = lit.variance[np.isfinite(lit.variance)]
    noise = float(np.sqrt(known.mean() / known.size)) if known.size else 0.0
    return Outcome(
        tables=(detector_table(given.names, fits, lit.flicker), *curves),
        plots=curve_plots(curves),
        summary=detector_summary(stack, given.names, fits),
        # Against what the noise of the pixels does to a frame's mean.
        diagnostics=detector_diagnostics(fits, lit.flicker, 10 * noise),
    )


def preview(inputs: Inputs, parameters: NoiseLevelParameters, index: int) -> Outcome:
    """The noise of one frame by itself."""
    given = _measured(inputs, parameters)
    found = blind_block(*given.read(index), given.fixed, bool(given.names))
    said = frame_summary(given.stack, given.names, found)
    if parameters.method == "repeated":
        said = f"All {given.stack.n_frames:,} frames are measured together: press Run. {said}"
    return Outcome(summary=said)


def plan(inputs: Inputs, parameters: NoiseLevelParameters, engine: Engine) -> Plan:
    """How the largest pass is cut."""
    given = _measured(inputs, parameters)
    if parameters.method == "single":
        return make_plan(MapFrames(), given.stacks, _cost(given.stack), engine)
    elements = int(np.prod(given.stack.frame_shape))
    cost = Cost(output=40 * elements, scratch=40 * elements, seconds=8e-9 * elements)
    return make_plan(Reduce(), (given.stack,), cost, engine)


def methods(inputs: Inputs, parameters: NoiseLevelParameters) -> str:
    """Sentence for the methods part of a paper."""
    if parameters.method == "single":
        return (
            "The standard deviation of white noise was estimated in each frame from fine cosine "
            "coefficients of those blocks of 8 x 8 pixels whose coarse structure is no more than "
            "noise."
        )
    dark = ", with offset and read noise from dark frames" if inputs["dark"] else ""
    return (
        "The detector's gain was found by weighted least squares from variance against mean of the "
        f"pixels over repeated frames (photon transfer){dark}."
    )


def _measured(inputs: Inputs, parameters: NoiseLevelParameters) -> Measured:
    """Stack, mask and channels.

    Raises
    ------
    ValueError
        Where they do not serve the method.
    """
    given = measured(inputs, channels_along=parameters.channels_along, per_channel=True)
    stack = given.stack
    if parameters.method == "single":
        if inputs["dark"]:
            raise ValueError(
                "Dark frames were given, which serve frames of one scene only; choose the method "
                "repeated, or leave them out."
            )
        return given
    if stack.n_frames < 2:
        raise ValueError(
            f"{stack.name} has {stack.n_frames} frame, but 2 frames or more of one scene are "
            "needed to measure a detector; choose the method single for one."
        )
    if given.masks is not None:
        raise ValueError(
            "A mask for each frame was given, but one mask for all frames is needed where their "
            "pixels are compared over time."
        )
    return given


def _fixed(given: Measured) -> Array | None:
    """Pixels in use, of the shape of a frame."""
    if given.fixed is None:
        return None
    return given.fixed[..., None] if given.names else given.fixed


def _dark(inputs: Inputs) -> Stack | None:
    dark = inputs.optional_stack("dark")
    if dark is None:
        return None
    if dark.n_frames < 2:
        raise ValueError(
            f"{dark.name} has {dark.n_frames} frame, but 2 dark frames or more are needed to tell "
            "the read noise."
        )
    return dark


def _fits(
    given: Measured, parameters: NoiseLevelParameters, lit: Still, dark: Still | None
) -> list[Transfer]:
    """The line of each channel."""
    top = parameters.saturation
    dtype = given.stack.dtype
    if top is None and dtype.kind in "ui":
        top = float(np.iinfo(dtype).max)
    fits = []
    for channel in range(max(1, len(given.names))):
        at = (..., channel) if given.names else ...
        full = None if top is None else lit.highest[at] >= top
        below = None if dark is None else (dark.mean[at], dark.variance[at], dark.freedom)
        fits.append(
            photon_transfer(lit.mean[at], lit.variance[at], lit.freedom, dark=below, full=full)
        )
    return fits


def _cost(stack: Stack) -> Cost:
    elements = int(np.prod(stack.frame_shape))
    return Cost(output=64, scratch=48 * elements, seconds=1e-7 * elements)


TOOL = Tool(
    name="noise_level",
    title="Noise level",
    menu="measure",
    sentence="Noise of each frame without a truth, or gain and read noise of the detector.",
    inputs=INPUTS,
    parameters=NoiseLevelParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Ponomarenko, N. N. et al. (2007), IGARSS 2007, 2951-2954",
        "Liu, X., Tanaka, M. and Okutomi, M. (2013), IEEE Trans. Image Processing 22, 5226-5237",
        "Janesick, J. R. (2007), Photon Transfer, SPIE Press",
    ),
)
