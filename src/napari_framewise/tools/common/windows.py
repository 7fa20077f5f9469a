"""The size of a window in pixels, as tools ask for it."""

from __future__ import annotations

from pydantic import field_validator

from napari_framewise.framework.framemap import FrameMapParameters
from napari_framewise.framework.parameters import parameter


class WindowParameters(FrameMapParameters):
    """Parameters of filters with a window around each pixel."""

    size: int = parameter(
        7,
        "Size",
        "Side of the window, or diameter of a disc: an odd number, which has a middle. At the "
        "border of the frame, and beside missing pixels, fewer pixels count.",
        unit="pixels",
        ge=1,
    )
    depth: int | None = parameter(
        None,
        "Depth",
        "Planes of the window in volumes, an odd number; empty: as many as its size.",
        unit="planes",
        start=1,
        rare=True,
        ge=1,
    )

    @field_validator("size", "depth")
    @classmethod
    def _odd(cls, side: int | None) -> int | None:
        if side is not None and side % 2 == 0:
            raise ValueError(
                f"an odd number is needed, so that it has a middle: {side - 1} or {side + 1}"
            )
        return side

    def sides(self, ndim: int) -> tuple[int, ...]:
        """Sides of the window in frames of so many axes.

        Raises
        ------
        ValueError
            Where they are neither planes nor volumes.
        """
        if ndim not in (2, 3):
            raise ValueError(
                f"The frames have {'one axis' if ndim == 1 else f'{ndim} axes'}; planes or volumes "
                "are needed: choose another axis for the frames to run along."
            )
        if ndim == 2:
            return (self.size, self.size)
        return (self.depth or self.size, self.size, self.size)

    @property
    def in_words(self) -> str:
        """The window, for a sentence."""
        return f"{self.size} pixels" + (f" and {self.depth} planes" if self.depth else "")
