"""How the flow of a pair is estimated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Method: TypeAlias = Literal["pyramid", "iterative", "one_shot"]
Smoothing: TypeAlias = Literal["jumps", "jumps_and_edges", "even", "none"]
Brightness: TypeAlias = Literal["constant", "changing"]
Quality: TypeAlias = Literal["fast", "thorough"]

# Widest Gaussian of the derivatives themselves: a wider one smooths both frames before.
_NARROW = 0.5


@dataclass(frozen=True)
class FlowSettings:
    """How the flow of a pair is estimated.

    Attributes
    ----------
    method : {"pyramid", "iterative", "one_shot"}
        Coarse to fine with warping; warping at full size only; a single linear solution, as in the
        textbook, for displacements below a pixel or so.
    gradient_sigma : float
        Gaussian whose derivatives are the gradients, in pixels. What goes beyond 0.5 smooths both
        frames of a level, so that their difference is that of the images whose slopes are taken.
    window_sigma : float, optional
        Gaussian window that a pixel's equations are summed over, in pixels. By default 0.5 where
        the flow is smoothed (0.3 if thorough), 2 where the window alone holds it together.
    smoothing : {"jumps", "jumps_and_edges", "even", "none"}
        How the flow that each pixel is pulled to follows from its neighbours: less across jumps of
        the flow, or also across edges of the image; evenly; not at all.
    regularisation : float
        Strength of that pull, in medians of half the tensor's trace; where noise or what the warped
        frames leave of each other is larger than that, in shares of these (see `levels`).
    brightness : {"constant", "changing"}
        Whether a gain and an offset between the frames are fitted as well, and, where the light is
        found to vary over the frame, fields of both.
    ratio : float
        Size of each level of the pyramid over that before.
    quality : {"fast", "thorough"}
        Thorough uses every channel where fast averages them, warps more often, and after each level
        takes medians over pixels that look similar, where the flow jumps.
    """

    method: Method = "pyramid"
    gradient_sigma: float = 0.5
    window_sigma: float | None = None
    smoothing: Smoothing = "jumps"
    regularisation: float = 2.0
    brightness: Brightness = "changing"
    ratio: float = 0.8
    quality: Quality = "fast"

    @property
    def window(self) -> float:
        """The window that is used, in pixels."""
        if self.window_sigma is not None:
            return self.window_sigma
        if self.smoothing == "none":
            return 2.0
        return 0.5 if self.quality == "fast" else 0.3

    @property
    def warps(self) -> int:
        """Warps per level."""
        if self.method == "one_shot":
            return 1
        return (3 if self.method == "pyramid" else 10) + (2 if self.quality == "thorough" else 0)

    @property
    def slope_sigma(self) -> float:
        """Gaussian of the derivatives that are taken of a level."""
        return min(self.gradient_sigma, _NARROW)

    @property
    def level_sigma(self) -> float:
        """Gaussian that a level is smoothed by before, so that both make the gradient's."""
        return float(max(self.gradient_sigma**2 - self.slope_sigma**2, 0.0) ** 0.5)
