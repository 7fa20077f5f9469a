"""Band-pass filter: frames filtered by the band of frequencies that is asked for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pydantic import ConfigDict

from napari_framewise.framework.framemap import MOST_SAMPLED, FrameMap, Image
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.outcome import Outcome
from napari_framewise.numerics import bandpass as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.tools.bandpass.parameters import BandpassParameters, response_of
from napari_framewise.tools.bandpass.reporting import Sampled, in_words, report_of
from napari_framewise.tools.common.certain import MASK_OF_FRAMES, axes_of


class Settled(BandpassParameters):
    """With the transfer function over the frames' pixels."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    sampled: Any


def settle(inputs: Inputs, parameters: BandpassParameters) -> Settled:
    """The transfer function, and that the frames can have its band.

    Raises
    ------
    ValueError
        Where they can't, or have no size of a pixel that was asked for.
    """
    if isinstance(parameters, Settled):
        return parameters
    axes = axes_of(inputs, parameters)
    shape = inputs.stack("stack").spatial_shape
    response, spacing = response_of(parameters), parameters.spacing(axes)
    if isinstance(response, numerics.Gaussians):
        band = numerics.band_of(response)
    else:
        low, high = response.low, response.high
        peak = math.sqrt(low * high) if math.isfinite(high) else math.inf
        band = numerics.Band(low, high, peak, 1.0)
    unit = parameters.unit(axes)
    if parameters.ask == "band":
        numerics.check_band(band.low, band.high, shape[-len(axes) :], spacing, unit)
    if inputs.optional_stack("mask") is not None:
        numerics.check_taps(response, spacing)
    return Settled(**dict(parameters), sampled=Sampled(response, spacing, band, unit))


def bandpass(frames: Array, parameters: Settled, mask: Array | None = None) -> Array:
    """A block of frames, filtered: in space where something is missing, else by frequency."""
    sampled: Sampled = parameters.sampled
    result = np.empty(frames.shape)
    for n, frame in enumerate(frames):
        use = None if mask is None else mask[n if len(mask) > 1 else 0]
        one = frame[None]
        known = np.isfinite(frame) if use is None else np.isfinite(frame) & (use != 0)
        if known.all():
            result[n] = numerics.filtered(one, sampled.response, sampled.spacing)[0]
        elif known.any():
            given = None if use is None else use[None]
            result[n] = numerics.filtered_with_gaps(
                one, sampled.response, sampled.spacing, mask=given
            )[0]
        else:
            result[n] = np.nan
    return result


def report(inputs: Inputs, parameters: Settled) -> Outcome:
    """The band, and the spectrum of the first frame before and after."""
    frames, further = FILTER.sample(inputs, parameters, 0, MOST_SAMPLED)
    after = bandpass(frames, parameters, **further)[0]
    mask = further["mask"]
    before = frames[0] if mask is None else np.where(mask[0] != 0, frames[0], np.nan)
    return report_of(parameters.sampled, before, after, inputs.stack("stack").frame_numbers[0])


def methods(inputs: Inputs, parameters: BandpassParameters) -> str:
    """Sentence for the methods part of a paper."""
    sampled: Sampled = settle(inputs, parameters).sampled
    form = {
        numerics.Gaussians: "differences of Gaussians",
        numerics.LogGabor: "a log-Gabor filter",
        numerics.Butterworth: f"a Butterworth filter of order {parameters.order}",
    }[type(sampled.response)]
    words = in_words(sampled).rstrip(".")
    return (
        f"Frames were filtered by {form} ({words[0].lower()}{words[1:]}) in the frequency domain "
        "with reflected borders; frames with missing pixels by normalised convolution."
    )


FILTER = FrameMap(
    name="bandpass",
    title="Band-pass filter",
    sentence="Keep a band of frequencies, asked for by its edges; low-pass and high-pass as well.",
    parameters=BandpassParameters,
    function=bandpass,
    images=(Image("filtered"),),
    inputs=(MASK_OF_FRAMES,),
    settle=settle,
    report=report,
    methods=methods,
    citations=(
        "Marr, D. & Hildreth, E. (1980). Theory of edge detection. Proc. R. Soc. B 207, 187-217.",
        "Field, D. J. (1987), J. Opt. Soc. Am. A 4, 2379-2394.",
    ),
    scratch=40.0,
    label="Filtering",
)
TOOL = FILTER.tool
