"""The tools there are. A tool's module is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .tool import Tool

NAMES: tuple[str, ...] = ("mixing", "unmixing")


def get_tool(name: str) -> Tool[Any]:
    """The tool of that name.

    Raises
    ------
    ValueError
        Where there is no such tool.
    """
    if name not in NAMES:
        raise ValueError(f"There is no tool {name!r}; the tools are: {', '.join(NAMES)}.")
    tool: Tool[Any] = import_module(f"{__package__}.{name}").TOOL
    return tool


def all_tools() -> tuple[Tool[Any], ...]:
    """All tools, in the order of the menus."""
    return tuple(get_tool(name) for name in NAMES)
