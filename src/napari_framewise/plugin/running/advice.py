"""What can be said before a run, and made ready for it; both take a moment, so in a thread."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from napari_framewise.framework import first_use
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.parameters import Parameters
from napari_framewise.framework.tool import Tool
from napari_framewise.plugin.running import settings


@dataclass(frozen=True)
class Advice:
    """What can be said before a run: to the user, and to who asks how it is cut."""

    text: str
    detail: str


def advice(tool: Tool[Any], inputs: Inputs, parameters: Parameters) -> Advice:
    """What can be said before running."""
    tool.check_selections(inputs)
    plan = tool.plan(inputs, parameters, settings.current_engine())
    said = [] if tool.advise is None else [tool.advise(inputs, parameters)]
    text = " ".join([*said, *plan.warnings()])
    unit = plan.work.unit.removesuffix("s") if plan.items == 1 else plan.work.unit
    return Advice(text or f"Ready: {plan.items:,} {unit}.", plan.describe())


def warm_up(tool: Tool[Any]) -> None:
    """Load and compile what the first result needs."""
    import_module("napari_framewise.plugin.results.plots")
    first_use.warm_up(tool)
