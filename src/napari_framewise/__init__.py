"""A stack of frames goes in; a measured answer comes out as layers.

From Python, without napari::

    import napari_framewise as fw

    stack = fw.open_stack("stack.tif")
    outcome = fw.run("mixing", stack=stack, references=[first, second], progress=True)
    outcome.table("mixing").columns["x1"]
    fw.run_recipe("recipe.json", ["day 1.tif", "day 2.tif"], "results")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .io.batch import Batch, run_recipe
    from .io.models import read_model, write_model
    from .io.opening import open_stack
    from .io.recipes import load_recipe, save_recipe
    from .io.scripts import to_python
    from .io.tables import read_table, write_table
    from .io.writing import write_image
    from .samples import sample
    from .stacks.engine import Engine
    from .stacks.stack import Selection, Stack, stack_of
    from .tools.calls import run
    from .tools.outcome import Outcome, Table

    __version__: str

_HOMES = {
    "Batch": "io.batch",
    "Engine": "stacks.engine",
    "Outcome": "tools.outcome",
    "Selection": "stacks.stack",
    "Stack": "stacks.stack",
    "Table": "tools.outcome",
    "load_recipe": "io.recipes",
    "open_stack": "io.opening",
    "read_model": "io.models",
    "read_table": "io.tables",
    "run": "tools.calls",
    "run_recipe": "io.batch",
    "sample": "samples",
    "save_recipe": "io.recipes",
    "stack_of": "stacks.stack",
    "to_python": "io.scripts",
    "write_image": "io.writing",
    "write_model": "io.models",
    "write_table": "io.tables",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    # What napari loads with a plugin must cost nothing, so nothing is imported before it is used.
    if name == "__version__":
        from importlib.metadata import version

        return version("napari-framewise")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
