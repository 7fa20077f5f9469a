"""Fill missing pixels: by normalised convolution over growing scales."""

from __future__ import annotations

import numpy as np

from napari_framewise.framework.framemap import Filtered, FrameMap, FrameMapParameters, Image
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.outcome import Outcome
from napari_framewise.numerics import normalised_convolution as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.tools.common.certain import CERTAINTY, CITATION


class FillParameters(FrameMapParameters):
    """Filling has no parameters of its own: its scales grow until every gap is filled."""


def fill(
    frames: Array,
    parameters: FillParameters,
    mask: Array | None = None,
    confidence: Array | None = None,
) -> Filtered:
    """A block of frames without gaps, how far each pixel lies from data, and a confidence."""
    values, distance = numerics.filled(frames, mask=mask, confidence=confidence)
    return Filtered((values, 1 / (1 + distance), distance))


def methods(inputs: Inputs, parameters: FillParameters) -> str:
    """Sentence for the methods part of a paper."""
    return (
        "Missing pixels were filled by normalised convolution over growing scales (Knutsson & "
        "Westin 1993, on a pyramid after Gortler et al. 1996); known pixels were kept as they were."
    )


def report(inputs: Inputs, parameters: FillParameters) -> Outcome:
    """How much of the first frame is missing."""
    frames, further = FILL.sample(inputs, parameters, 0)
    known = np.isfinite(frames)
    for given in further.values():
        known &= True if given is None else np.nan_to_num(given) != 0
    number, missing = inputs.stack("stack").frame_numbers[0], 1 - float(known.mean())
    if not missing:
        said = (
            f"Frame {number:,} has no missing pixels: it stays as it is. Pixels are missing where "
            "they are NaN, infinite, the no-data value, or left out by a mask."
        )
        return Outcome(diagnostics=(said,))
    return Outcome(summary=f"Of frame {number:,} {100 * missing:.3g} % was missing.")


def limits(distance: Array) -> tuple[float, float]:
    """From data to the farthest pixel."""
    finite = distance[np.isfinite(distance)]
    return 0.0, max(1.0, float(finite.max(initial=0.0)))


FILL = FrameMap(
    name="fill",
    title="Fill missing pixels",
    sentence="Replace what is missing by its surroundings, and say how far they are.",
    parameters=FillParameters,
    function=fill,
    images=(
        Image("filled"),
        Image("confidence", dtype="float32", visible=False, limits=lambda _: (0.0, 1.0)),
        Image("distance to data", dtype="float32", visible=False, limits=limits),
    ),
    inputs=CERTAINTY,
    methods=methods,
    citations=(
        CITATION,
        "Gortler, S. J. et al. (1996). The Lumigraph. SIGGRAPH, 43-54.",
    ),
    scratch=96.0,
    report=report,
    label="Filling",
)
TOOL = FILL.tool
