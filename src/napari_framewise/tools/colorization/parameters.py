"""Parameters of colorization."""

from __future__ import annotations

from napari_framewise.framework.parameters import Parameters, parameter
from napari_framewise.numerics.colorization import Form


class ColorizationParameters(Parameters):
    """Parameters of colorization."""

    weights: Form = parameter(
        "published",
        "Weights",
        "Of neighbours: a Gaussian of the difference of their luminance, as the published code has "
        "it, or their correlation.",
    )
    white: float | None = parameter(
        None,
        "White",
        "Value that is shown as white; empty: 255 of 8 bits, 1 where no value is larger, else the "
        "largest in up to 16 frames.",
        unit="values",
        gt=0,
        rare=True,
    )
    in_time: bool = parameter(
        False,
        "Neighbours in time",
        "Colours spread to the frames before and after as well, so that scribbles on a few frames "
        "do for all; takes much memory. Else each frame is solved by itself.",
        rare=True,
    )
    show_weights: bool = parameter(
        False,
        "Weights",
        "Add the weights of the neighbours of every pixel of the first frame as a layer.",
        group="Layers",
        rare=True,
    )
