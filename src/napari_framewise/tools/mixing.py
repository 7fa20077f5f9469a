"""Mixing coefficients: how much of each reference image is in every frame of a stack."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import model_validator

from napari_framewise.numerics import mixing as numerics
from napari_framewise.stacks.engine import Engine
from napari_framewise.stacks.passes import run_pass
from napari_framewise.stacks.plan import Plan, make_plan
from napari_framewise.stacks.stack import Stack
from napari_framewise.stacks.work import Cost, MapFrames, Reduce
from napari_framewise.tools._mixing_blocks import (
    fit_block,
    residual_sums,
    usable,
)
from napari_framewise.tools._mixing_design import (
    fitted_stacks,
    prepared_design,
    prepared_here,
    sampled_frames,
)
from napari_framewise.tools._mixing_layers import (
    lazy_layers,
    mean_residual_layer,
    one_frame,
)
from napari_framewise.tools._mixing_report import (
    coefficient_plot,
    coefficient_table,
    design_table,
    diagnostics_of,
    summary_of,
)
from napari_framewise.tools.inputs import Input, Inputs, Kind
from napari_framewise.tools.outcome import Outcome
from napari_framewise.tools.parameters import Parameters, parameter
from napari_framewise.tools.tool import Run, Tool

INPUTS = (
    Input("stack", Kind.STACK, "Stack", "The frames to take apart."),
    Input(
        "references",
        Kind.FRAME,
        "References",
        "The images that every frame is a mixture of, 2 to 16 in all; they may be frames of the "
        "stack. Several frames of one layer are averaged, or taken as one reference each.",
        most=16,
        usual=2,
        same_frame_as="stack",
        several_frames=True,
    ),
    Input(
        "mask",
        Kind.LABELS,
        "Mask",
        "Pixels to use: not zero = use this pixel. One image for all frames, or one per frame.",
        least=0,
        same_frame_as="stack",
        several_frames=True,
    ),
    Input(
        "weights",
        Kind.FRAME,
        "Weights",
        "Weight of each pixel, in proportion to one over its variance; 0 leaves it out.",
        least=0,
        same_frame_as="stack",
    ),
    Input(
        "dark",
        Kind.FRAME,
        "Dark frame",
        "Subtracted from frames and references first; several frames are averaged.",
        least=0,
        same_frame_as="stack",
        several_frames=True,
    ),
    Input(
        "flat",
        Kind.FRAME,
        "Flat field",
        "Divided out of frames and references after the dark frame; several frames are averaged.",
        least=0,
        same_frame_as="stack",
        several_frames=True,
    ),
)


class MixingParameters(Parameters):
    """Parameters of the mixing coefficients."""

    constraint: Literal["sum_to_one", "none", "non_negative", "fully_constrained"] = parameter(
        "sum_to_one",
        "Constraint",
        "What the coefficients of a frame must obey; fully constrained is both: a sum of one and "
        "none negative.",
    )
    errors: Literal["consistent", "classical"] = parameter(
        "consistent",
        "Standard errors",
        "Consistent (HC3) holds where the noise differs from pixel to pixel, as photon noise does; "
        "classical takes one noise level for all pixels of a frame.",
    )
    offset: bool = parameter(
        False, "Free offset", "Fit a constant background to each frame as well."
    )
    gain: bool = parameter(
        False,
        "Free gain",
        "Fit a brightness to each frame as well, for bleaching or a drifting lamp; needs the sum "
        "of one.",
    )
    loss: Literal["linear", "huber"] = parameter(
        "linear",
        "Loss",
        "Linear is least squares; Huber gives pixels that do not fit, such as cosmic rays, less "
        "say.",
        rare=True,
    )
    lowest: tuple[float, ...] = parameter(
        (),
        "Lowest coefficient",
        "Lower bound: one number, or one for each reference. With two references and a sum of one, "
        "one number bounds the first.",
        group="Bounds",
        rare=True,
    )
    highest: tuple[float, ...] = parameter(
        (), "Highest coefficient", "Upper bound, as above.", group="Bounds", rare=True
    )
    several_frames: Literal["average", "separate"] = parameter(
        "average",
        "Several frames",
        "Whether a reference layer of several frames is averaged to one reference, or each frame "
        "is a reference.",
        group="References",
        rare=True,
    )
    reference_noise: Literal["correct", "ignore"] = parameter(
        "correct",
        "Reference noise",
        "Where all references are averages, their remaining noise is known: correct the pull that "
        "it has on the coefficients (errors in variables), or ignore it.",
        group="References",
        rare=True,
    )
    poisson_weights: bool = parameter(
        False,
        "Photon-noise weights",
        "Weight pixels by the noise that the detector has at the middle mixture; needs the "
        "detector's gain.",
        group="Detector",
        rare=True,
    )
    detector_gain: float | None = parameter(
        None,
        "Gain",
        "Electrons that make one count.",
        unit="electrons per count",
        gt=0,
        group="Detector",
        rare=True,
    )
    detector_offset: float = parameter(
        0.0,
        "Offset",
        "Counts of a pixel without light.",
        unit="counts",
        group="Detector",
        rare=True,
    )
    read_noise: float = parameter(
        0.0,
        "Read noise",
        "Standard deviation of the read-out.",
        unit="electrons",
        ge=0,
        group="Detector",
        rare=True,
    )
    saturation: float | None = parameter(
        None,
        "Saturation",
        "Count at which a pixel saturates: pixels that a mixture may bring there are left out of "
        "all frames alike; needs the detector's gain.",
        unit="counts",
        group="Detector",
        rare=True,
    )
    fitted: bool = parameter(
        False, "Fitted stack", "Add the fitted frames as a layer.", group="Layers"
    )
    residual: bool = parameter(
        True, "Residual stack", "Add frames minus fit as a layer.", group="Layers"
    )
    mean_residual: bool = parameter(
        True,
        "Mean residual",
        "Add the residual averaged over all frames: it shows a shift or saturation that biases the "
        "coefficients.",
        group="Layers",
    )

    @model_validator(mode="after")
    def _detector(self) -> MixingParameters:
        wanting = [
            title
            for wanted, title in (
                (self.poisson_weights, "Photon-noise weights need"),
                (self.saturation is not None, "Saturation needs"),
            )
            if wanted and self.detector_gain is None
        ]
        if wanting:
            raise ValueError(
                f"{wanting[0]} the detector's gain, but none was given; give the electrons per "
                "count, or switch this off."
            )
        if self.gain and self.constraint in ("none", "non_negative"):
            raise ValueError(
                f"A free gain was asked for with the constraint {self.constraint}; it needs a sum "
                "of one: choose sum_to_one or fully_constrained."
            )
        return self


def run(inputs: Inputs, parameters: MixingParameters, engine: Engine) -> Run:
    """Fit every frame, then average the residuals where they are asked for."""
    stack = inputs.stack("stack")
    prepared = yield from prepared_design(inputs, parameters, engine)
    design = prepared.design
    stacks = fitted_stacks(inputs)
    blocks = yield from run_pass(
        MapFrames(),
        fit_block,
        stacks,
        (design,),
        engine=engine,
        cost=_cost(stack, design.n_references),
        label="Fitting",
    )
    fits = numerics.concatenate(blocks)
    layers = lazy_layers(inputs, prepared, parameters)
    if parameters.mean_residual:
        averaged = yield from run_pass(
            Reduce(),
            residual_sums,
            stacks,
            (design,),
            engine=engine,
            cost=_summing_cost(stacks),
            label="Averaging residuals",
            merge=numerics.ResidualTotal.merge,
        )
        layers += (mean_residual_layer(stack, averaged),)
    table = coefficient_table(stack, fits, prepared)
    return Outcome(
        layers=layers,
        tables=(table, design_table(prepared)),
        plots=(coefficient_plot(table, prepared),),
        summary=summary_of(fits, prepared),
        diagnostics=diagnostics_of(fits, prepared, inputs, parameters),
    )


def preview(inputs: Inputs, parameters: MixingParameters, index: int) -> Outcome:
    """Fit one frame: its coefficients in the summary, the fitted frame and what it leaves."""
    stack = inputs.stack("stack")
    prepared = prepared_here(inputs, parameters)
    blocks = [each.read(index, index + 1) for each in fitted_stacks(inputs)]
    frames = usable(*blocks)
    fits = numerics.fit(frames, prepared.design)
    return Outcome(
        layers=one_frame(stack, frames, fits, prepared),
        summary=summary_of(fits, prepared, frame=stack.frame_numbers[index]),
        diagnostics=diagnostics_of(fits, prepared, inputs, parameters),
    )


def advise(inputs: Inputs, parameters: MixingParameters) -> str:
    """The smallest difference of each coefficient that can be told apart, from a few frames."""
    prepared = prepared_here(inputs, parameters)
    smallest = numerics.resolvable(prepared.design, sampled_frames(inputs.stack("stack"), 8))
    values = ", ".join(
        f"{name} {value:.2g}" for name, value in zip(prepared.symbols, smallest, strict=True)
    )
    return (
        f"Smallest difference between two frames that can be told apart: {values}; condition "
        f"number {prepared.design.condition:.3g}."
    )


def plan(inputs: Inputs, parameters: MixingParameters, engine: Engine) -> Plan:
    """How the run is cut."""
    stack = inputs.stack("stack")
    count = max(2, sum(each.n_frames for each in inputs.stacks("references")))
    return make_plan(MapFrames(), fitted_stacks(inputs), _cost(stack, min(count, 16)), engine)


def methods(inputs: Inputs, parameters: MixingParameters) -> str:
    """Sentence for the methods part of a paper."""
    constraint = {
        "sum_to_one": " with coefficients that sum to one",
        "none": "",
        "non_negative": " with non-negative coefficients",
        "fully_constrained": " with non-negative coefficients that sum to one",
    }[parameters.constraint]
    free = [name for name in ("offset", "gain") if getattr(parameters, name)]
    extras = f" and a free {' and '.join(free)} per frame" if free else ""
    fit = "Huber's robust loss" if parameters.loss == "huber" else "least squares"
    if parameters.poisson_weights:
        fit += " weighted by the detector's photon and read noise at the middle mixture"
    errors = (
        "heteroscedasticity-consistent (HC3)" if parameters.errors == "consistent" else "classical"
    )
    return (
        f"Each frame was modelled as a linear mixture of the reference images{constraint}{extras}, "
        f"fitted by {fit}; standard errors are {errors}, intervals use Student's t."
    )


def warm_up() -> None:
    """Compile what a run needs."""
    numerics.warm_up()


def _cost(stack: Stack, n_references: int) -> Cost:
    pixels = int(np.prod(stack.frame_shape))
    row = 8 * (n_references * (n_references + 7) + 10)
    return Cost(output=row, scratch=row, seconds=1e-6 + 0.5e-9 * pixels * n_references)


def _summing_cost(stacks: tuple[Stack, ...]) -> Cost:
    pixels = int(np.prod(stacks[0].frame_shape))
    return Cost(scratch=4 * pixels if len(stacks) > 1 else 0, seconds=1e-6 + 3e-9 * pixels)


TOOL = Tool(
    name="mixing",
    title="Mixing coefficients",
    menu="measure",
    sentence="How much of each reference image is in every frame, with how far to trust it.",
    inputs=INPUTS,
    parameters=MixingParameters,
    work=MapFrames(),
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "MacKinnon, J. G. and White, H. (1985), Journal of Econometrics 29, 305-325",
        "Heinz, D. C. and Chang, C.-I. (2001), IEEE Trans. Geosci. Remote Sensing 39, 529-545",
        "Fuller, W. A. (1987), Measurement Error Models, Wiley",
    ),
    advise=advise,
    warm_up=warm_up,
)
