"""Unmix pixels: how much of each known spectrum is in every pixel of a stack of bands."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.work import Cost, MapTiles
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.limits import limits_of
from napari_framewise.framework.outcome import ImageResult, Outcome, Table
from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics import unmixing as numerics
from napari_framewise.numerics.mixing import Design, Status
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.counting import counted
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack

PREVIEWED_PIXELS = 2**16
_COLOURS = ("red", "green", "blue", "magenta", "cyan", "yellow")

INPUTS = (
    Input(
        "stack",
        Kind.STACK,
        "Bands",
        "A stack with one frame per band: (band, y, x).",
    ),
    Input(
        "spectra",
        Kind.FRAME,
        "Spectra",
        "The known spectra, 2 to 16 in all: images of one row per spectrum and one column per "
        "band, (K, band). A layer of a single row gives its spectrum its name.",
        most=16,
    ),
    Input(
        "weights",
        Kind.FRAME,
        "Band weights",
        "Weight of each band, in proportion to one over its variance: one row, a column per band.",
        least=0,
    ),
)


class UnmixingParameters(Parameters):
    """Parameters of the unmixing of pixels."""

    constraint: Literal["non_negative", "fully_constrained", "sum_to_one", "none"] = parameter(
        "non_negative",
        "Constraint",
        "What the abundances of a pixel must obey; fully constrained is both: none negative and a "
        "sum of one, which holds where the spectra are those of pure pixels.",
    )
    offset: bool = parameter(
        False, "Free offset", "Fit a constant background to each pixel's spectrum as well."
    )
    names: str = parameter(
        "", "Names", "Names of the spectra, separated by commas; empty: those of their layers."
    )
    maps: Literal["one", "each"] = parameter(
        "one",
        "Abundances",
        "One layer with an axis of spectra, or each spectrum as a coloured layer of its own: they "
        "add up to one picture.",
        group="Layers",
    )
    lowest: tuple[float, ...] = parameter(
        (),
        "Lowest abundance",
        "Lower bound: one number, or one for each spectrum.",
        group="Bounds",
        rare=True,
    )
    highest: tuple[float, ...] = parameter(
        (), "Highest abundance", "Upper bound, as above.", group="Bounds", rare=True
    )


def run(inputs: Inputs, parameters: UnmixingParameters, engine: Engine) -> Run:
    """Unmix the image tile by tile, each with all bands."""
    stack = inputs.stack("stack")
    design = _design(inputs, parameters)
    tiles = yield from run_pass(
        MapTiles(),
        unmix_tile,
        (stack,),
        (design,),
        engine=engine,
        cost=_cost(stack, design.n_references),
        label="Unmixing",
    )
    return _outcome(stack, _joined(tiles), _names(inputs, parameters), parameters)


def preview(inputs: Inputs, parameters: UnmixingParameters, index: int) -> Outcome:
    """Unmix as many rows around the middle as are quick; all bands take part in any."""
    stack = inputs.stack("stack")
    height, width = stack.frame_shape[-2:] if len(stack.frame_shape) > 1 else (1, 1)
    rows = max(1, min(height, PREVIEWED_PIXELS // width))
    first = (height - rows) // 2
    block = stack.read(0, stack.n_frames, (first, first + rows))
    found = numerics.unmix(block, _design(inputs, parameters))
    return _outcome(stack, found, _names(inputs, parameters), parameters, first)


def plan(inputs: Inputs, parameters: UnmixingParameters, engine: Engine) -> Plan:
    """How the run is cut."""
    stack = inputs.stack("stack")
    cost = _cost(stack, len(_rows(inputs)))
    return make_plan(MapTiles(), (stack,), cost, engine)


def advise(inputs: Inputs, parameters: UnmixingParameters) -> str:
    """How well the spectra can be told apart."""
    design = _design(inputs, parameters)
    return (
        f"{design.n_references} spectra of {design.n_pixels} bands, rank {design.rank}, condition "
        f"number {design.condition:.3g}."
    )


def methods(inputs: Inputs, parameters: UnmixingParameters) -> str:
    """Sentence for the methods part of a paper."""
    constraint = {
        "sum_to_one": "abundances that sum to one",
        "none": "abundances without constraints",
        "non_negative": "non-negative abundances",
        "fully_constrained": "non-negative abundances that sum to one",
    }[parameters.constraint]
    offset = " and a free constant" if parameters.offset else ""
    return (
        "Each pixel's spectrum was modelled as a linear mixture of the known spectra, fitted by "
        f"least squares with {constraint}{offset}."
    )


def warm_up() -> None:
    """Compile what a run needs."""
    spectra = np.array([[1.0, 0.0, 2.0, 1.0], [0.0, 1.0, 1.0, 3.0]])
    cube = np.ones((4, 2, 2), np.uint16)
    numerics.unmix(cube, numerics.prepare_spectra(spectra))


def unmix_tile(cube: Array, design: Design) -> numerics.Unmixing:
    """Unmix one tile (band, rows, columns)."""
    return numerics.unmix(cube, design)


def _design(inputs: Inputs, parameters: UnmixingParameters) -> Design:
    stack, weights = inputs.stack("stack"), inputs.optional_stack("weights")
    given_spectra = [("Spectra", each) for each in inputs.stacks("spectra")]
    bands = "1 band" if stack.n_frames == 1 else f"{stack.n_frames} bands"
    for role, given in (*given_spectra, ("Band weights", weights)):
        if given is not None and given.frame_shape[-1] != stack.n_frames:
            raise ValueError(
                f"{role}: {given.name} has {given.frame_shape[-1]} columns, but {stack.name} has "
                f"{bands}; one column per band is needed."
            )
    bounds = None
    if parameters.lowest or parameters.highest:
        bounds = (_limit(parameters.lowest, -np.inf), _limit(parameters.highest, np.inf))
    return numerics.prepare_spectra(
        _rows(inputs),
        constraint=parameters.constraint,
        bounds=bounds,
        offset=parameters.offset,
        weights=None if weights is None else np.ravel(weights.frame(0)),
    )


def _limit(values: tuple[float, ...], missing: float) -> float | Array:
    if not values:
        return missing
    return values[0] if len(values) == 1 else np.array(values)


def _cost(stack: Stack, n_spectra: int) -> Cost:
    width = stack.frame_shape[-1]
    output = width * (9 * n_spectra + 5)
    return Cost(output=output, scratch=output, seconds=width * n_spectra * 1e-7)


def _joined(tiles: list[numerics.Unmixing]) -> numerics.Unmixing:
    """The tiles under one another."""
    return numerics.Unmixing(
        *(
            np.concatenate([getattr(tile, name) for tile in tiles], axis=axis)
            for name, axis in (
                ("abundances", 1),
                ("errors", 1),
                ("residual", 0),
                ("at_bound", 1),
                ("status", 0),
            )
        )
    )


def _rows(inputs: Inputs) -> Array:
    """All spectra (K, band)."""
    return np.concatenate([np.atleast_2d(each.frame(0)) for each in inputs.stacks("spectra")])


def _names(inputs: Inputs, parameters: UnmixingParameters) -> tuple[str, ...]:
    """Names of the spectra: those that were typed, else those of their layers."""
    found: list[str] = []
    for each in inputs.stacks("spectra"):
        rows = len(np.atleast_2d(each.frame(0)))
        found += [each.name] if rows == 1 else [f"{each.name} [{row}]" for row in range(rows)]
    if not parameters.names.strip():
        return tuple(found)
    typed = tuple(name.strip() for name in parameters.names.split(","))
    if len(typed) != len(found) or not all(typed):
        raise ValueError(
            f"Names: {parameters.names!r} names {len(typed)}, but there are {len(found)} spectra; "
            "give a name for each, separated by commas."
        )
    return typed


def _outcome(
    stack: Stack,
    found: numerics.Unmixing,
    names: tuple[str, ...],
    parameters: UnmixingParameters,
    first_row: int = 0,
) -> Outcome:
    shape = found.residual.shape
    plane = stack.grid.cropped((first_row, first_row + shape[0]), (0, shape[1]))
    grid = replace(plane, role="stack")
    maps = grid.after(Grid((Axis("spectrum"),), found.abundances.shape[:1]))
    shown = limits_of(found.abundances)
    layers = [
        ImageResult(
            f"residual of {stack.name}",
            found.residual,
            grid,
            contrast_limits=limits_of(found.residual),
            visible=False,
        ),
        ImageResult(
            f"abundance errors of {stack.name}",
            found.errors,
            maps,
            contrast_limits=limits_of(found.errors),
            visible=False,
        ),
    ]
    if parameters.maps == "each":
        layers += [
            ImageResult(
                f"{name} in {stack.name}",
                abundances,
                grid,
                contrast_limits=shown,
                colormap=_COLOURS[number % len(_COLOURS)],
                blending="additive",
            )
            for number, (name, abundances) in enumerate(zip(names, found.abundances, strict=True))
        ]
    else:
        name = f"abundances of {stack.name}"
        layers.append(ImageResult(name, found.abundances, maps, contrast_limits=shown))
    table = _table(found, names)
    return Outcome(
        layers=tuple(layers),
        tables=(table,),
        summary=_summary(found, table, names),
        diagnostics=_diagnostics(found),
    )


def _table(found: numerics.Unmixing, names: tuple[str, ...]) -> Table:
    """One row per spectrum."""
    count = len(names)
    flat = found.abundances.reshape(count, -1).astype(np.float64)
    bound = found.at_bound.reshape(count, -1)
    usable = np.isfinite(flat)
    # an abundance of 0 may come out below it by rounding, in proportion to the others
    rounding = 4 * np.finfo(found.abundances.dtype).eps * np.abs(flat).sum(axis=0)
    statistics = [
        _row(values[used], rounding[used]) for values, used in zip(flat, usable, strict=True)
    ]
    columns: dict[str, Array] = {
        "object": np.arange(count),
        "spectrum": np.array(names),
        **{
            name: np.array([row[i] for row in statistics])
            for i, name in enumerate(("mean", "std", "min", "max", "negative"))
        },
        "at_bound": bound.mean(axis=1) if bound.size else np.full(count, np.nan),
        "pixels": usable.sum(axis=1),
    }
    notes = {
        "object": "Number of the spectrum, from 0.",
        "spectrum": "Where the spectrum came from.",
        "mean": "Mean abundance over the pixels.",
        "std": "Standard deviation over the pixels.",
        "min": "Smallest abundance.",
        "max": "Largest abundance.",
        "negative": "Share of pixels with an abundance below 0, by more than rounding.",
        "at_bound": "Share of pixels where a bound holds the abundance.",
        "pixels": "Pixels with an answer.",
    }
    return Table("abundances", "object", columns, notes)


def _row(values: Array, rounding: Array) -> tuple[float, float, float, float, float]:
    if not len(values):
        return (np.nan,) * 5
    return (
        float(values.mean()),
        float(values.std()),
        float(values.min()),
        float(values.max()),
        float((values < -rounding).mean()),
    )


def _summary(found: numerics.Unmixing, table: Table, names: tuple[str, ...]) -> str:
    known = np.isfinite(found.residual)
    if not known.any():
        return "No pixel could be unmixed."
    means = "; ".join(
        f"{name} {mean:,.4g}" for name, mean in zip(names, table.columns["mean"], strict=True)
    )
    return (
        f"Mean abundance over {counted(int(known.sum()), 'pixel')}: {means}. Median residual "
        f"{np.median(found.residual[known]):.3g} counts."
    )


def _diagnostics(found: numerics.Unmixing) -> tuple[str, ...]:
    said = []
    for flag, text in (
        (Status.NO_DATA, "held no data"),
        (Status.PARTIAL, "had bands without data, which were left out there"),
        (Status.UNDETERMINED, "had too few bands left to tell the spectra apart"),
    ):
        count = int(np.count_nonzero(found.status & flag))
        if count:
            said.append(f"{count:,} pixel{'s' if count > 1 else ''} {text}.")
    return tuple(said)


TOOL = Tool(
    name="unmixing",
    title="Unmix pixels",
    menu="measure",
    sentence="How much of each known spectrum is in every pixel of a stack of bands.",
    inputs=INPUTS,
    parameters=UnmixingParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=(
        "Heinz, D. C. and Chang, C.-I. (2001), IEEE Trans. Geosci. Remote Sensing 39, 529-545",
        "Goldfarb, D. and Idnani, A. (1983), Mathematical Programming 27, 1-33",
    ),
    advise=advise,
    warm_up=warm_up,
    compile_seconds=6,
)
