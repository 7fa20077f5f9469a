"""Mixing coefficients: how much of each reference image is in every frame of a stack."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.work import Cost, MapFrames, Reduce
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.outcome import Outcome, Plot, Table
from napari_framewise.framework.regions import Region
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics import mixing as numerics
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.mixing.blocks import (
    FitsAndResiduals,
    fit_and_sum,
    fit_block,
    fits_of,
    joined,
    usable,
)
from napari_framewise.tools.mixing.design import (
    fitted_stacks,
    prepared_design,
    prepared_here,
    sampled_frames,
)
from napari_framewise.tools.mixing.layers import (
    lazy_layers,
    mean_residual_layer,
    one_frame,
)
from napari_framewise.tools.mixing.parameters import INPUTS, MixingParameters
from napari_framewise.tools.mixing.report import (
    coefficient_plot,
    coefficient_table,
    design_table,
    diagnostics_of,
    region_plot,
    region_summary,
    region_table,
    summary_of,
)


def run(inputs: Inputs, parameters: MixingParameters, engine: Engine) -> Run:
    """Fit every frame, and average the residuals where they are asked for."""
    stack = inputs.stack("stack")
    prepared = yield from prepared_design(inputs, parameters, engine)
    design = prepared.design
    stacks = fitted_stacks(inputs)
    layers = lazy_layers(inputs, prepared, parameters)
    regions = _pixels(each.region for each in prepared.regions)
    if parameters.mean_residual:
        # in one reading, which of files is most of the time
        both = yield from run_pass(
            Reduce(),
            fit_and_sum,
            stacks,
            (design, prepared.regions),
            engine=engine,
            cost=_cost(*stacks, design.n_references, summed=True, regions=regions),
            label="Fitting",
            merge=FitsAndResiduals.merge,
        )
        fits, *apart = joined(both.fits)
        layers += (mean_residual_layer(stack, both.total),)
    else:
        blocks = yield from run_pass(
            MapFrames(),
            fit_block,
            stacks,
            (design, prepared.regions),
            engine=engine,
            cost=_cost(*stacks, design.n_references, regions=regions),
            label="Fitting",
        )
        fits, *apart = joined(blocks)
    table = coefficient_table(stack, fits, prepared, parameters)
    tables: tuple[Table, ...] = (table, design_table(prepared))
    plots: tuple[Plot, ...] = (coefficient_plot(table, prepared),)
    summary = summary_of(fits, prepared)
    if apart:
        of_regions = region_table(stack, apart, prepared, parameters)
        tables += (of_regions,)
        plots += (region_plot(of_regions, apart, prepared),)
        summary += f" {region_summary(apart, prepared)}"
    return Outcome(
        layers=layers,
        tables=tables,
        plots=plots,
        summary=summary,
        diagnostics=diagnostics_of(fits, prepared, inputs, parameters),
    )


def preview(inputs: Inputs, parameters: MixingParameters, index: int) -> Outcome:
    """Fit one frame: its coefficients in the summary, the fitted frame and what it leaves."""
    stack = inputs.stack("stack")
    prepared = prepared_here(inputs, parameters)
    _, mask = fitted_stacks(inputs)
    used = None if mask is None else mask.read(index, index + 1)
    frames = usable(stack.read(index, index + 1), used)
    fits, *apart = fits_of(frames, prepared.design, prepared.regions)
    summary = summary_of(fits, prepared, frame=stack.frame_numbers[index])
    if apart:
        summary += f" {region_summary(apart, prepared)}"
    return Outcome(
        layers=one_frame(stack, frames, fits, prepared),
        summary=summary,
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
    count = max(2, sum(each.n_frames for each in inputs.stacks("references")))
    summed = parameters.mean_residual
    work = Reduce() if summed else MapFrames()
    stacks = fitted_stacks(inputs)
    regions = _pixels(inputs.regions("regions"))
    cost = _cost(*stacks, min(count, 16), summed=summed, regions=regions)
    return make_plan(work, stacks, cost, engine)


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
    errors = "standard errors are classical, intervals use Student's t"
    if parameters.errors != "classical":
        errors = (
            f"standard errors are heteroscedasticity-consistent ({parameters.errors.upper()}), "
            "intervals use Student's t with Satterthwaite's degrees of freedom"
        )
    return (
        f"Each frame was modelled as a linear mixture of the reference images{constraint}{extras}, "
        f"fitted by {fit}; {errors}."
    )


def warm_up() -> None:
    """Compile what a run needs."""
    numerics.warm_up()


def _pixels(regions: Iterable[Region]) -> tuple[int, int]:
    """How many regions there are, and the pixels of their boxes."""
    sizes = [each.inside.size for each in regions]
    return len(sizes), sum(sizes)


def _cost(
    stack: Stack,
    mask: Stack | None,
    count: int,
    *,
    summed: bool = False,
    regions: tuple[int, int] = (0, 0),
) -> Cost:
    pixels = int(np.prod(stack.frame_shape))
    row = 8 * (count * (count + 7) + 10) * (1 + regions[0])
    seconds = 1e-6 + 0.5e-9 * pixels * (count + summed)
    seconds += 1e-6 * regions[0] + 0.5e-9 * count * regions[1]
    scratch = row if mask is None else row + 4 * pixels
    return Cost(output=row, scratch=scratch, seconds=seconds)


TOOL = Tool(
    name="mixing",
    title="Mixing coefficients",
    menu="measure",
    sentence="How much of each reference image is in every frame, with how far to trust it.",
    inputs=INPUTS,
    parameters=MixingParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "MacKinnon, J. G. and White, H. (1985), Journal of Econometrics 29, 305-325",
        "Bell, R. M. and McCaffrey, D. F. (2002), Survey Methodology 28, 169-181",
        "Heinz, D. C. and Chang, C.-I. (2001), IEEE Trans. Geosci. Remote Sensing 39, 529-545",
        "Goldfarb, D. and Idnani, A. (1983), Mathematical Programming 27, 1-33",
        "Fuller, W. A. (1987), Measurement Error Models, Wiley",
    ),
    advise=advise,
    warm_up=warm_up,
    compile_seconds=8,
)
