"""Results that memory does not hold: whether a run needs a folder for them, and has one."""

from __future__ import annotations

import shutil
from typing import Any

from napari_framewise.engine import Engine
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.tool import Tool
from napari_framewise.stacks.memory import size_text


def bytes_on_disk(tool: Tool[Any], inputs: Inputs, parameters: Any) -> int:
    """Bytes that a run writes to the engine's folder; 0 where memory holds its results."""
    return 0 if tool.on_disk is None else tool.on_disk(inputs, parameters)


def needs_folder(tool: Tool[Any], inputs: Inputs, parameters: Any) -> str:
    """Why a run needs a folder, the beginning of a sentence; empty where it needs none."""
    needed = bytes_on_disk(tool, inputs, parameters)
    return (
        f"The result takes up to {size_text(needed)}, more than is kept in memory" if needed else ""
    )


def check_folder(
    tool: Tool[Any], inputs: Inputs, parameters: Any, engine: Engine, how: str
) -> None:
    """Refuse a run that needs a folder and has none, or one with too little room.

    Parameters
    ----------
    how : str
        How a folder is given: "give folder= for it".

    Raises
    ------
    ValueError
        In one sentence.
    """
    needed = bytes_on_disk(tool, inputs, parameters)
    if not needed:
        return
    if engine.folder is None:
        raise ValueError(f"{needs_folder(tool, inputs, parameters)}; {how}, or {tool.instead}.")
    path = engine.folder.path
    if path.exists() and any(path.iterdir()):
        # What an earlier run left there counts; each array is checked for what it lacks.
        return
    there = next(each for each in (path, *path.parents) if each.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise ValueError(
            f"{needs_folder(tool, inputs, parameters)}, and {size_text(free)} are free in {there}; "
            f"choose another folder, or {tool.instead}."
        )
