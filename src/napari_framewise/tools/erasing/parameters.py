"""Parameters of random erasing."""

from __future__ import annotations

import math

from pydantic import model_validator

from napari_framewise.framework.framemap import FrameMapParameters
from napari_framewise.framework.parameters import parameter
from napari_framewise.numerics import erasing as numerics


class ErasingParameters(FrameMapParameters):
    """Parameters of random erasing."""

    share: float = parameter(
        20.0,
        "Share",
        "Of the pixels of a frame that are erased; rounded to whole pixels, and then exact.",
        unit="%",
        gt=0,
        le=100,
    )
    rectangles: int = parameter(
        2,
        "Rectangles",
        "How many disjoint rectangles; one alone can often not have the exact area.",
        ge=1,
        le=numerics.MOST,
    )
    fill: numerics.Fill = parameter(
        "constant",
        "Fill",
        "One value; the mean of the pixels of the frame that stay; noise of their mean and "
        "standard deviation; or no data (NaN, which makes integers floats).",
    )
    value: float = parameter(0.0, "Value", "Of the fill.", shown_when={"fill": "constant"})
    same: bool = parameter(
        False, "Same in all frames", "The same rectangles in all frames, else new ones in each."
    )
    lowest_aspect: float = parameter(
        0.3, "Lowest aspect", "Height over width of the flattest rectangle.", gt=0, rare=True
    )
    highest_aspect: float = parameter(
        3.3,
        "Highest aspect",
        "Height over width of the tallest rectangle. Above a share of 70 % both bounds are given "
        "up where no rectangles keep them, which is said.",
        gt=0,
        rare=True,
    )
    gap: int = parameter(
        0,
        "Gap",
        "Pixels between two rectangles at least, along rows or along columns.",
        unit="pixels",
        ge=0,
        rare=True,
    )
    seed: int = parameter(0, "Seed", "The same number gives the same rectangles.", ge=0)

    @model_validator(mode="after")
    def _aspects_make_sense(self) -> ErasingParameters:
        if self.lowest_aspect > self.highest_aspect:
            raise ValueError(
                f"The lowest aspect was given {self.lowest_aspect:g} and the highest "
                f"{self.highest_aspect:g}; the lowest must not be above the highest"
            )
        return self

    def pixels(self, shape: tuple[int, ...]) -> int:
        """How many pixels of a frame are erased.

        Raises
        ------
        ValueError
            Where that is less than one.
        """
        whole = math.prod(shape)
        pixels = round(self.share * whole / 100)
        if pixels < 1:
            raise ValueError(
                f"{self.share:g} % of {' x '.join(map(str, shape))} pixels is less than one pixel; "
                f"give at least {100 / whole:.3g} %."
            )
        return pixels
