"""What can be said before a run, and made ready for it; both take a moment, so in a thread."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from napari_framewise.framework import first_use
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.parameters import Parameters
from napari_framewise.framework.tool import Tool
from napari_framewise.plugin.running import settings


def advice(tool: Tool[Any], inputs: Inputs, parameters: Parameters) -> str:
    """What can be said before running."""
    said = [] if tool.advise is None else [tool.advise(inputs, parameters)]
    return " ".join([*said, tool.plan(inputs, parameters, settings.current_engine()).describe()])


def warm_up(tool: Tool[Any]) -> None:
    """Load and compile what the first result needs."""
    import_module("napari_framewise.plugin.results.plots")
    first_use.warm_up(tool)
