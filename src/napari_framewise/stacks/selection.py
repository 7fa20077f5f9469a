"""What of a stack is used, and where it was opened: plain values for recipes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Selection:
    """What the user chose of a stack; plain values only, so that a recipe can hold it.

    Attributes
    ----------
    frames_along : tuple of int, optional
        Axes that the frames run along, outermost first, as non-negative positions in the data.
        None: as `default_frame_axes` says.
    frames : tuple of three int, optional
        Start, stop and step over the frames counted along all those axes.
    channel : int, optional
        Index along the channel axis; None keeps all channels.
    region : tuple of (start, stop), optional
        Rows and columns, in pixels.
    no_data : float, optional
        Value that stands for missing pixels, read as NaN; None: as the file says, if it does.
    """

    frames_along: tuple[int, ...] | None = None
    frames: tuple[int, int, int] | None = None
    channel: int | None = None
    region: tuple[tuple[int, int], tuple[int, int]] | None = None
    no_data: float | None = None


@dataclass(frozen=True)
class Origin:
    """Where a stack was opened, so that a recipe can name it again.

    Attributes
    ----------
    path : str, optional
        File or folder as it was opened; `key` and `pattern` as they were given.
    sample : str, optional
        Name of the sample; `item` says which of its stacks.
    """

    path: str | None = None
    key: str | None = None
    pattern: str | None = None
    sample: str | None = None
    item: str = ""
