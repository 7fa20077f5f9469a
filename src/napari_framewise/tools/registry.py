"""The tools there are. A tool's module is imported when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .tool import Tool


@dataclass(frozen=True)
class Entry:
    """What can be said of a tool without importing it: its module and its sentence."""

    module: str
    sentence: str


TOOLS: dict[str, Entry] = {
    "mixing": Entry(
        f"{__package__}.mixing",
        "How much of each reference image is in every frame, with how far to trust it.",
    ),
    "unmixing": Entry(
        f"{__package__}.unmixing",
        "How much of each known spectrum is in every pixel of a stack of bands.",
    ),
    "alignment": Entry(
        f"{__package__}.alignment",
        "Bring an image onto a template, or the frames of a stack onto each other.",
    ),
    "flow": Entry(
        f"{__package__}.flow",
        "Where every pixel of a frame went, as arrows and colours, and how surely.",
    ),
    "statistics": Entry(
        f"{__package__}.statistics",
        "Mean, deviation, extremes and percentiles of all images, channel by channel.",
    ),
    "normalise": Entry(
        f"{__package__}.normalise",
        "Bring every frame, or the whole stack, to a range, a mean of one, or z-scores.",
    ),
    "standardise": Entry(
        f"{__package__}.standardise",
        "Bring each channel of every frame, or of the stack, to mean 0 and deviation 1.",
    ),
    "renormalise": Entry(
        f"{__package__}.renormalise",
        "Use offsets and gains that were found on one stack on another, or take them back.",
    ),
}
"""In the order of the menus."""


def get_tool(name: str) -> Tool[Any]:
    """The tool of that name.

    Raises
    ------
    ValueError
        Where there is no such tool.
    """
    if name not in TOOLS:
        raise ValueError(f"There is no tool {name!r}; the tools are: {', '.join(TOOLS)}.")
    tool: Tool[Any] = import_module(TOOLS[name].module).TOOL
    return tool


def all_tools() -> tuple[Tool[Any], ...]:
    """All tools, in the order of the menus."""
    return tuple(get_tool(name) for name in TOOLS)
