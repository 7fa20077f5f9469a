"""Local statistics: mean, variance and more of a window around each pixel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pydantic import model_validator

from napari_framewise.framework.framemap import Filtered, FrameMap, Image
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.parameters import parameter
from napari_framewise.numerics import window_moments as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.tools.common.certain import CERTAINTY
from napari_framewise.tools.common.windows import WindowParameters

# Variances are float64 always: squares leave the range of float32.
_IMAGES = {
    "mean": Image("local mean"),
    "variance": Image("local variance", dtype="float64"),
    "deviation": Image("local deviation"),
    "variation": Image("coefficient of variation"),
    "correlation": Image("neighbour correlation", limits=lambda _: (-1.0, 1.0)),
}


class LocalStatisticsParameters(WindowParameters):
    """Parameters of local statistics."""

    mean: bool = parameter(True, "Mean", "Mean of the pixels with data in the window.")
    variance: bool = parameter(False, "Variance", "Their variance.")
    deviation: bool = parameter(True, "Standard deviation", "Square root of their variance.")
    variation: bool = parameter(
        False,
        "Coefficient of variation",
        "Standard deviation over the size of the mean; of use where zero means nothing there.",
    )
    correlation: bool = parameter(
        False,
        "Correlation of neighbours",
        "Of each pixel with its neighbours over the window: about 0 for white noise, towards 1 "
        "where there is structure.",
    )
    ddof: int = parameter(
        0,
        "ddof",
        "Subtracted from the number of pixels in the variance: 0 describes these pixels, 1 "
        "estimates a population.",
        ge=0,
        rare=True,
    )

    @model_validator(mode="after")
    def _something(self) -> LocalStatisticsParameters:
        if not self.chosen:
            raise ValueError(
                f"No statistic was chosen; choose at least one of {', '.join(_IMAGES)}."
            )
        if self.chosen == ("correlation",) and self.size == 1 and (self.depth or 1) == 1:
            raise ValueError(
                "A window of 1 pixel was given, which holds no neighbours to correlate; give 3 or "
                "more."
            )
        return self

    @property
    def chosen(self) -> tuple[str, ...]:
        """The statistics that are asked for."""
        return tuple(name for name in _IMAGES if getattr(self, name))


def local_statistics(
    frames: Array, parameters: LocalStatisticsParameters, mask: Array | None = None
) -> Filtered:
    """The chosen statistics of a block of frames."""
    sides, ddof = parameters.sides(frames.ndim - 1), parameters.ddof
    found: dict[str, Callable[[], Array]] = {}
    if set(parameters.chosen) - {"correlation"}:
        moments = numerics.window_moments(frames, numerics.box_window(sides), mask)
        found = {
            "mean": lambda: moments.mean,
            "variance": lambda: moments.variance(ddof),
            "deviation": lambda: moments.deviation(ddof),
            "variation": lambda: moments.variation(ddof),
        }
    found["correlation"] = lambda: numerics.neighbour_correlation(frames, sides, mask)
    return Filtered(tuple(found[name]() for name in parameters.chosen))


def images(parameters: LocalStatisticsParameters) -> tuple[Image, ...]:
    """Those of the chosen statistics."""
    return tuple(_IMAGES[name] for name in parameters.chosen)


def methods(inputs: Inputs, parameters: LocalStatisticsParameters) -> str:
    """Sentence for the methods part of a paper."""
    names = [image.name for image in images(parameters)]
    divisor = "N" if not parameters.ddof else f"N - {parameters.ddof}"
    varies = any(name in parameters.chosen for name in ("variance", "deviation", "variation"))
    return (
        f"{' and '.join(names).capitalize()} of the pixels with data in windows of "
        f"{parameters.in_words} were computed{f' (variance over {divisor})' if varies else ''}."
    )


def warm_up() -> None:
    """Compile what mean and deviation need."""
    numerics.window_moments(np.zeros((1, 3, 3)), numerics.box_window((3, 3)))


TOOL = FrameMap(
    name="local_statistics",
    title="Local statistics",
    sentence="Mean, deviation, variation and neighbour correlation of a window, exactly.",
    parameters=LocalStatisticsParameters,
    function=local_statistics,
    images=images,
    inputs=CERTAINTY[:1],
    halo=lambda parameters: parameters.size // 2,
    methods=methods,
    citations=(
        (
            "Chan, T. F., Golub, G. H. & LeVeque, R. J. (1983). Algorithms for computing the "
            "sample variance. The American Statistician 37, 242-247."
        ),
        (
            "Haralick, R. M., Shanmugam, K. & Dinstein, I. (1973). Textural features for image "
            "classification. IEEE Trans. Systems, Man, and Cybernetics 3, 610-621."
        ),
    ),
    scratch=200.0,
    warm_up=warm_up,
    compile_seconds=1,
).tool
