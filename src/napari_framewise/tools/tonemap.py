"""Tone mapping: scenes of a high dynamic range, brought to the contrast of a display."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from napari_framewise.framework.framemap import (
    MOST_SAMPLED,
    FrameMap,
    FrameMapParameters,
    Image,
    Rows,
)
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.lengths import Length
from napari_framewise.framework.outcome import Curve, Outcome, Plot, Table
from napari_framewise.framework.parameters import parameter
from napari_framewise.numerics.tonemapping import (
    Tones,
    base_of,
    exposure_for,
    floor_of,
    luminance,
    tone_mapped,
)
from napari_framewise.stacks.source import Array

_OF_SIZE = 0.02
# Frames, and pixels of each, that the extremes of the base are found in.
_MEASURED, _PIXELS = 3, 2**17
_BINS = 100
_NDIM = (2, 3)


class TonemapParameters(FrameMapParameters):
    """Parameters of tone mapping."""

    contrast: float = parameter(
        Tones.contrast,
        "Contrast",
        "Contrast that the base, the large shades, is compressed to: brightest over darkest.",
        gt=1,
        le=10_000,
    )
    sigma: Length | None = parameter(
        None,
        "Sigma in space",
        "Of the bilateral filter that gives the base; empty: 2 % of the larger side of a frame.",
        gt=0,
        rare=True,
    )
    range_sigma: float = parameter(
        0.4,
        "Sigma of the range",
        "Of the bilateral filter: steps that are larger belong to the base, smaller ones to the "
        "detail.",
        unit="decades",
        gt=0,
        le=10,
        rare=True,
    )
    gamma: float = parameter(
        Tones.gamma,
        "Gamma",
        "Of the display: values are raised to 1 / gamma. 1 leaves light linear.",
        ge=0.1,
        le=10,
        rare=True,
    )
    low: float | None = parameter(
        None,
        "Darkest base",
        "Luminance of the base that becomes darkest; empty: the least in up to three frames.",
        unit="values",
        gt=0,
        rare=True,
    )
    high: float | None = parameter(
        None,
        "Brightest base",
        "Luminance of the base that becomes brightest; empty: the largest in up to three frames.",
        unit="values",
        gt=0,
        rare=True,
    )
    exposure: float | None = parameter(
        None,
        "Exposure",
        "What light is multiplied by at the end, before gamma; empty: such that 0.1 % of the "
        "pixels in up to three frames are brighter than the display.",
        gt=0,
        rare=True,
    )
    floor: float | None = parameter(
        None,
        "Floor",
        "Luminance that is not positive, or below this, counts as this; empty: what 0.1 % of the "
        "positive pixels fall short of.",
        unit="values",
        gt=0,
        rare=True,
    )


def tonemap(frames: Array, parameters: TonemapParameters, *, rows: Rows) -> Array:
    """A block of frames (n, *frame, c) for a display."""
    first = rows.given[0]
    asked = (rows.asked[0] - first, rows.asked[1] - first)
    return tone_mapped(frames, tones_of(parameters), asked, first)


def tones_of(parameters: TonemapParameters) -> Tones:
    """The mapping of settled parameters."""
    assert parameters.sigma is not None
    return Tones(
        parameters.sigma.values,
        parameters.range_sigma,
        float(parameters.low or math.nan),
        float(parameters.high or math.nan),
        float(parameters.floor or math.nan),
        parameters.contrast,
        parameters.gamma,
        float(parameters.exposure or 1.0),
    )


def settle(inputs: Inputs, parameters: TonemapParameters) -> TonemapParameters:
    """Sigma in pixels, floor and extremes of the base: the same for all frames."""
    stack = inputs.stack("stack")
    if len(stack.spatial_shape) not in _NDIM:
        raise ValueError(
            f"{stack.name} holds {stack.summary()}; frames of rows and columns, or of planes of "
            "them, are needed."
        )
    chosen: dict[str, Any] = {"sigma": _sigma(inputs, parameters)}
    if None in (parameters.low, parameters.high, parameters.floor, parameters.exposure):
        numbers = np.unique(np.linspace(0, stack.n_frames - 1, _MEASURED).round().astype(int))
        step = _step(stack.spatial_shape, _PIXELS)
        samples = [_thinned(inputs, parameters, int(each), step) for each in numbers]
        floors = [floor_of(luminance(each)) for each in samples]
        known = [each for each in floors if not math.isnan(each)]
        floor = parameters.floor or (min(known) if known else 1.0)
        sigma = tuple(each / step for each in chosen["sigma"].values)
        low, high = _extremes(samples, sigma, parameters.range_sigma, floor)
        chosen["floor"] = floor
        chosen["low"] = parameters.low or low
        chosen["high"] = parameters.high or max(high, chosen["low"])
        if parameters.exposure is None and chosen["low"] <= chosen["high"]:
            thinned = tones_of(parameters.model_copy(update=chosen | {"sigma": Length(sigma)}))
            found = [exposure_for(each, thinned) for each in samples]
            chosen["exposure"] = min((each for each in found if each > 0), default=1.0)
    settled = parameters.model_copy(update=chosen)
    assert settled.low is not None
    assert settled.high is not None
    if settled.low > settled.high:
        raise ValueError(
            f"The darkest base was given {settled.low:g} and the brightest {settled.high:g}; the "
            "brightest must not be below the darkest."
        )
    return settled


def report(inputs: Inputs, parameters: TonemapParameters) -> Outcome:
    """How the base was compressed, and luminance before and after."""
    stack = inputs.stack("stack")
    index, step = stack.n_frames // 2, _step(stack.spatial_shape, MOST_SAMPLED)
    tones = tones_of(parameters)
    tones = replace(tones, sigma=tuple(each / step for each in tones.sigma))
    frames = _thinned(inputs, parameters, index, step)
    light = luminance(frames)
    linear = luminance(tone_mapped(frames, tones).astype(np.float64)[..., :3] ** parameters.gamma)
    known = np.isfinite(light)
    if not (light[known] > 0).any():
        said = f"Frame {index} holds no light above 0, so no luminance was compared."
        return Outcome(summary="No contrast was measured.", diagnostics=(said,))
    decades = math.log10(tones.high / tones.low)
    diagnostics = []
    dark, bright = float((light[known] < tones.floor).mean()), float((linear[known] >= 1).mean())
    if dark:
        diagnostics.append(
            f"In frame {index} {100 * dark:.3g} % of the pixels lie below the floor of "
            f"{tones.floor:.3g}, or are not positive."
        )
    if bright > 0.001:
        diagnostics.append(
            f"In frame {index} {100 * bright:.3g} % of the pixels are brighter than the display."
        )
    if tones.factor == 1:
        diagnostics.append("The base has no more contrast than was asked for: it stays as it is.")
    table = _histogram(np.maximum(light[known], tones.floor), linear[known])
    plot = Plot(
        f"Luminance before and after, frame {index}",
        table.name,
        "decades",
        (Curve("before", label="before"), Curve("after", label="after")),
        x_label="log10 of luminance over the brightest",
        y_label="share of pixels",
    )
    summary = (
        f"Base of {decades:.2f} decades ({tones.low:.3g} to {tones.high:.3g}), times "
        f"{tones.factor:.3g}: a contrast of {min(10**decades, tones.contrast):.4g}."
    )
    return Outcome(tables=(table,), plots=(plot,), summary=summary, diagnostics=tuple(diagnostics))


def methods(inputs: Inputs, parameters: TonemapParameters) -> str:
    """Sentence for the methods part of a paper."""
    sigma = _sigma(inputs, parameters)
    return (
        f"The base of log10 luminance, by a bilateral filter with a sigma of {sigma} in space and "
        f"{parameters.range_sigma:g} decades in range, was compressed to a contrast of "
        f"{parameters.contrast:g} (Durand & Dorsey, 2002)."
    )


def warm_up() -> None:
    """Compile the grid of the bilateral filter."""
    tone_mapped(np.ones((1, 4, 4, 1), np.float32), Tones((4.0, 4.0), 0.4, 0.5, 1.0, 0.1))


def _sigma(inputs: Inputs, parameters: TonemapParameters) -> Length:
    stack = inputs.stack("stack")
    if parameters.sigma is None:
        return Length((_OF_SIZE * max(stack.spatial_shape[-2:]),) * len(stack.spatial_shape))
    axes = stack.spatial_grid.axes
    return Length(parameters.sigma.in_pixels(axes, "Sigma in space"))


def _step(shape: tuple[int, ...], most: int) -> int:
    """Every how manieth pixel along each axis is looked at, so that there are no more."""
    pixels: float = math.prod(shape) / most
    return max(1, math.ceil(math.pow(pixels, 1 / len(shape))))


def _thinned(inputs: Inputs, parameters: TonemapParameters, index: int, step: int) -> Array:
    """Every so manieth pixel of a frame, (1, *frame, c)."""
    frames, _ = TONEMAP.sample(inputs, parameters, index)
    thin = (slice(None, None, step),) * len(inputs.stack("stack").spatial_shape)
    return np.ascontiguousarray(frames[(slice(None), *thin)])


def _extremes(
    samples: list[Array], sigma: tuple[float, ...], range_sigma: float, floor: float
) -> tuple[float, float]:
    """Least and largest luminance of the bases."""
    lights = [luminance(each) for each in samples]
    most = max(
        (float(each[np.isfinite(each)].max()) for each in lights if np.isfinite(each).any()),
        default=floor,
    )
    unit = max(most, floor)
    bases = [base_of(each, sigma, range_sigma, floor, unit)[1] for each in samples]
    finite = [each[np.isfinite(each)] for each in bases]
    found = [each for each in finite if each.size]
    if not found:
        return floor, floor
    low, high = min(each.min() for each in found), max(each.max() for each in found)
    return unit * 10.0 ** float(low), unit * 10.0 ** float(high)


def _histogram(before: Array, after: Array) -> Table:
    """Shares of pixels by the decades that they lie below the brightest."""
    spread = [np.log10(each[each > 0] / each.max()) for each in (before, after)]
    edges = np.linspace(min(float(each.min(initial=0.0)) for each in spread) or -1.0, 0, _BINS + 1)
    columns = {"decades": (edges[1:] + edges[:-1]) / 2}
    for name, each in zip(("before", "after"), spread, strict=True):
        columns[name] = np.histogram(each, edges)[0] / max(1, each.size)
    notes = {"decades": "log10 of luminance over the brightest, middle of a bin"}
    return Table("luminance", "object", columns, notes)


TONEMAP = FrameMap(
    name="tonemap",
    title="Tone mapping",
    sentence="Bring a high dynamic range to a chosen contrast, with detail and colours kept.",
    parameters=TonemapParameters,
    function=tonemap,
    images=(Image("tone-mapped", dtype="float32", limits=lambda _: (0.0, 1.0)),),
    stack_sentence="Frames of linear light, grey or coloured.",
    channels="colours",
    by_rows=True,
    settle=settle,
    report=report,
    halo=lambda parameters: tones_of(parameters).reach,
    scratch=256.0,
    methods=methods,
    warm_up=warm_up,
    compile_seconds=1.5,
    citations=("Durand, F. and Dorsey, J. (2002), ACM Trans. Graph. 21, 257-266",),
)
TOOL = TONEMAP.tool
