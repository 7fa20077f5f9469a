"""The widgets that the manifest names: one per tool, made when it is asked for.

``napari_framewise.plugin.panels:mixing`` is the panel of the tool mixing, so a new tool needs
nothing here. What a panel needs is imported in a thread, once it stands in the window.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from napari_framewise.plugin.shell import PanelShell
from napari_framewise.tools.registry import TOOLS, get_tool

if TYPE_CHECKING:
    import napari
    from qtpy.QtWidgets import QWidget


@cache
def panel_class(name: str) -> type[PanelShell]:
    """The panel of a tool, as the class that napari calls with its viewer."""

    class Panel(PanelShell):
        def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
            super().__init__(napari_viewer, partial(_tool_panel, name))

    Panel.__name__ = Panel.__qualname__ = f"{name.title()}Panel"
    return Panel


class RunRecipe(PanelShell):
    """The panel that runs recipes, as the class that napari calls with its viewer."""

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__(napari_viewer, _recipe_panel)


def _tool_panel(name: str) -> Callable[[Any], Generator[None, None, QWidget]]:
    from napari_framewise.plugin.panel import made_in_pieces

    tool = get_tool(name)
    return lambda viewer: made_in_pieces(viewer, tool)


def _recipe_panel() -> Callable[[Any], Generator[None, None, QWidget]]:
    from napari_framewise.plugin.recipe_panel import RecipePanel

    def made(viewer: Any) -> Generator[None, None, QWidget]:
        return RecipePanel(viewer)
        yield

    return made


def __getattr__(name: str) -> type[PanelShell]:
    if name in TOOLS:
        return panel_class(name)
    raise AttributeError(f"module {__name__} has no attribute {name}")
