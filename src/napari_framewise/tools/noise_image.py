"""Noise image: images of noise with all its power in a band of frequencies."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from pydantic import model_validator

from napari_framewise.engine import Engine
from napari_framewise.engine.cutting import make_plan
from napari_framewise.engine.lazy import LazyFrames
from napari_framewise.engine.plan import Plan
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, MapFrames
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.new_grid import GridParameters
from napari_framewise.framework.outcome import ImageResult, Outcome, Table
from napari_framewise.framework.parameters import parameter
from napari_framewise.framework.tool import Run, Tool
from napari_framewise.numerics.bandpass import band_noise, check_band
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid
from napari_framewise.stacks.selection import Selection
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of
from napari_framewise.tools.common.frequencies import FrequencyParameters

_NUMBER = r"(\d+\.?\d*(?:e-?\d+)?|\.\d+)"
_BAND = re.compile(rf"\s*{_NUMBER}\s*(?:to|-|\.\.)\s*{_NUMBER}\s*", re.IGNORECASE)


class NoiseParameters(FrequencyParameters, GridParameters):
    """Parameters of noise images."""

    bands: str = parameter(
        "0.05 to 0.2",
        "Bands",
        "Lower and upper edge of the frequencies, such as 1 to 5; several bands, with semicolons "
        "between them, make a stack.",
    )
    mean: float = parameter(0.5, "Mean", "Mean of every image, exactly.")
    contrast: float = parameter(
        0.2,
        "RMS contrast",
        "Standard deviation of every image divided by its mean, exactly; where the mean is 0, the "
        "standard deviation.",
        ge=0,
    )
    seed: int = parameter(0, "Seed", "The same number gives the same noise.", ge=0)

    @model_validator(mode="after")
    def _bands_make_sense(self) -> NoiseParameters:
        self.edges()
        return self

    def edges(self) -> tuple[tuple[float, float], ...]:
        """Lower and upper edge of each band.

        Raises
        ------
        ValueError
            Where the text holds no bands.
        """
        found = []
        for text in self.bands.split(";"):
            match = _BAND.fullmatch(text)
            if match is None:
                raise ValueError(
                    f"The bands were given as {self.bands!r}; give a lower and an upper edge, such "
                    "as 1 to 5, and semicolons between several: 1 to 5; 5 to 20."
                )
            low, high = float(match[1]), float(match[2])
            if low >= high:
                raise ValueError(
                    f"A band from {low:g} to {high:g} was asked for; the upper edge must lie above "
                    "the lower edge."
                )
            found.append((low, high))
        return tuple(found)

    def whole_grid(self) -> Grid:
        """The grid of all images: bands first, where there are several."""
        grid = self.grid()
        if len(self.edges()) == 1:
            return grid
        return Grid((Axis("band"), *grid.axes), (len(self.edges()), *grid.shape))


def noise_block(
    numbers: Array, parameters: NoiseParameters, spacing: tuple[float, ...], *, out: Array
) -> None:
    """Images of a block, each by its number: the band, then the frame of that band."""
    bands = parameters.edges()
    spread = parameters.contrast * (abs(parameters.mean) or 1.0)
    for number, image in zip(numbers[:, 0].astype(int), out, strict=True):
        band, frame = divmod(int(number), parameters.frames)
        noise = band_noise(
            image.shape,
            *bands[band],
            seed=(parameters.seed, band, frame),
            spacing=spacing,
            unit=parameters.unit(parameters.grid().axes[-2:]),
        )
        image[...] = parameters.mean + spread * noise


def made_of(parameters: NoiseParameters) -> tuple[ImageResult, Stack]:
    """The images, computed as one looks at them, and what they are computed from.

    Raises
    ------
    ValueError
        Where no image of that size has the band.
    """
    grid = parameters.whole_grid()
    plane = grid.axes[-2:]
    spacing, unit = parameters.spacing(plane), parameters.unit(plane)
    for low, high in parameters.edges():
        check_band(low, high, grid.shape[-2:], spacing, unit)
    leading = grid.shape[:-2]
    numbers = np.arange(int(np.prod(leading, initial=1)), dtype=np.float64)
    names = [axis.name for axis in grid.axes[:-2]] or ["t"]
    source = stack_of(numbers.reshape(*(leading or (1,)), 1), axes=(*names, "k"), name="noise")
    if len(leading) > 1:
        source = source.select(Selection(frames_along=tuple(range(len(leading)))))
    pixels = grid.shape[-2] * grid.shape[-1]
    lazy = LazyFrames(
        source,
        noise_block,
        (parameters, spacing),
        dtype=np.float32,
        frame_shape=grid.shape[-2:],
        cost=Cost(output=4 * pixels, scratch=56 * pixels, seconds=6e-8 * pixels),
    )
    data: Any = lazy if leading else np.asarray(lazy[0])
    spread = 3 * parameters.contrast * (abs(parameters.mean) or 1.0)
    limits = (parameters.mean - spread, parameters.mean + (spread or 1.0))
    return ImageResult("noise", data, grid, contrast_limits=limits), source


def run(inputs: Inputs, parameters: NoiseParameters, engine: Engine) -> Run:
    """Make the images."""
    yield Progress("Making noise", 0, 1)
    image, _ = made_of(parameters)
    edges = np.array(parameters.edges())
    unit = parameters.unit(parameters.grid().axes[-2:])
    first = np.asarray(image.data[(0,) * (image.data.ndim - 2)])
    table = Table(
        "bands",
        "object",
        {"band": np.arange(len(edges)), "low": edges[:, 0], "high": edges[:, 1]},
        {
            "band": "Number of the band, from 0.",
            "low": f"Lower edge in cycles per {unit}.",
            "high": f"Upper edge in cycles per {unit}.",
        },
    )
    yield Progress("Making noise", 1, 1)
    named = "; ".join(f"{low:g} to {high:g}" for low, high in edges)
    return Outcome(
        layers=(image,),
        tables=(table,),
        summary=f"Noise of {named} cycles per {unit}; the first image reaches from "
        f"{first.min():.3g} to {first.max():.3g}.",
    )


def preview(inputs: Inputs, parameters: NoiseParameters, index: int) -> Outcome:
    """The first image."""
    one = parameters.model_copy(update={"frames": 1, "bands": parameters.bands.split(";")[0]})
    return Outcome(layers=(made_of(one)[0],))


def plan(inputs: Inputs, parameters: NoiseParameters, engine: Engine) -> Plan:
    """How large the result is."""
    result = np.broadcast_to(np.float32(0), parameters.whole_grid().shape)
    return make_plan(MapFrames(), (stack_of(result, name="noise"),), Cost(), engine)


def methods(inputs: Inputs, parameters: NoiseParameters) -> str:
    """Sentence for the methods part of a paper."""
    unit = parameters.unit(parameters.grid().axes[-2:])
    return (
        f"Noise images had all their power between {parameters.bands} cycles per {unit} (Gaussian "
        f"white noise, other Fourier coefficients set to zero), a mean of {parameters.mean:g} and "
        f"an RMS contrast of {parameters.contrast:g} (seed {parameters.seed})."
    )


TOOL = Tool(
    name="noise_image",
    title="Noise image",
    menu="new_layer",
    sentence="Noise that fills a band of frequencies, with its mean and contrast as asked for.",
    inputs=(),
    parameters=NoiseParameters,
    run=run,
    preview=preview,
    plan=plan,
    methods=methods,
    citations=("Peli, E. (1990). Contrast in complex images. J. Opt. Soc. Am. A 7, 2032-2040.",),
)
