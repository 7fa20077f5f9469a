"""The widgets that the manifest names: one per tool, made when it is asked for.

``napari_framewise.plugin.panels:mixing`` is the panel of the tool mixing, so a new tool needs
nothing here.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from napari_framewise.plugin.panel import ToolPanel
from napari_framewise.plugin.recipe_panel import RecipePanel
from napari_framewise.tools.registry import TOOLS, get_tool

if TYPE_CHECKING:
    import napari


@cache
def panel_class(name: str) -> type[ToolPanel]:
    """The panel of a tool, as the class that napari calls with its viewer."""

    class Panel(ToolPanel):
        def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
            super().__init__(napari_viewer, get_tool(name))

    Panel.__name__ = Panel.__qualname__ = f"{name.title()}Panel"
    return Panel


class RunRecipe(RecipePanel):
    """The panel that runs recipes, as the class that napari calls with its viewer."""

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__(napari_viewer)


def __getattr__(name: str) -> type[ToolPanel]:
    if name in TOOLS:
        return panel_class(name)
    raise AttributeError(f"module {__name__} has no attribute {name}")
