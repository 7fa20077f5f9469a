"""Axes: their names, scale, position and unit, and what is guessed where nobody named them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CHANNEL_NAMES = frozenset({"c", "channel", "channels", "band", "rgb", "lambda"})
TIME_NAMES = frozenset({"t", "time", "frame", "frames"})


@dataclass(frozen=True)
class Axis:
    """One axis of the data: its name, pixel size, position of pixel 0 and unit."""

    name: str
    scale: float = 1.0
    translate: float = 0.0
    unit: str = "pixel"


def default_axis_names(ndim: int, rgb: bool) -> tuple[str, ...]:
    """Names for axes that nobody named: axis 0 ..., y, x, and c for colour components."""
    tail: tuple[str, ...] = ("y", "x", "c") if rgb else ("y", "x")
    tail = tail[-ndim:] if ndim < len(tail) else tail
    return (*(f"axis {number}" for number in range(ndim - len(tail))), *tail)


def channel_axis_of(names: Sequence[str], rgb: bool) -> int | None:
    """Position of the channel axis: the last for colour, else the one that is named so."""
    if rgb:
        return len(names) - 1
    named = [axis for axis, name in enumerate(names) if name.lower() in CHANNEL_NAMES]
    return named[0] if len(named) == 1 else None


def default_frame_axes(names: Sequence[str], rgb: bool) -> tuple[int, ...]:
    """Axes that the frames run along where the user did not say.

    The time axis where one is named; else all axes before the last two (three for colour) that
    are not a channel axis; else, for an unnamed channel-first image, that channel axis.
    """
    timed = [axis for axis, name in enumerate(names) if name.lower() in TIME_NAMES]
    if timed:
        return (timed[0],)
    channel = channel_axis_of(names, rgb)
    others = [axis for axis in range(len(names)) if axis != channel]
    leading = tuple(others[:-2])
    if not leading and channel is not None and not rgb:
        return (channel,)
    return leading
