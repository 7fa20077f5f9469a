"""Tools opened from the command palette, by the words that other programs call them by.

napari shows a panel there by its name in the menus alone; these commands carry the words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import napari

from napari_framewise.plugin.running.settings import PLUGIN
from napari_framewise.tools.registry import TOOLS, get_tool


@cache
def opener(name: str) -> Callable[[napari.Viewer], None]:
    """A command that opens the panel of a tool."""

    def open_panel(viewer: napari.Viewer) -> None:
        viewer.window.add_plugin_dock_widget(PLUGIN, get_tool(name).title)

    # napari fills in the viewer by its type, which it reads from the annotation itself.
    open_panel.__annotations__ = {"viewer": napari.Viewer, "return": None}
    open_panel.__name__ = name
    return open_panel


def __getattr__(name: str) -> Callable[[napari.Viewer], None]:
    if name in TOOLS:
        return opener(name)
    raise AttributeError(f"module {__name__} has no attribute {name}")
