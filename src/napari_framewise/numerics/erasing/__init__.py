"""Random erasing: disjoint rectangles that cover an exact number of pixels, and what fills them."""

from __future__ import annotations

from napari_framewise.numerics.erasing.filling import FILLS, Fill, erased
from napari_framewise.numerics.erasing.rectangles import (
    GIVEN_UP_ABOVE,
    MOST,
    ImpossibleError,
    Rectangles,
    numbered,
    random_rectangles,
)

__all__ = [
    "FILLS",
    "GIVEN_UP_ABOVE",
    "MOST",
    "Fill",
    "ImpossibleError",
    "Rectangles",
    "erased",
    "numbered",
    "random_rectangles",
]
