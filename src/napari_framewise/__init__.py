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
    from .io.batch import Batch as Batch
    from .io.batch import run_recipe as run_recipe
    from .io.models import read_model as read_model
    from .io.models import write_model as write_model
    from .io.opening import open_stack as open_stack
    from .io.recipes import load_recipe as load_recipe
    from .io.recipes import save_recipe as save_recipe
    from .io.references import open_input as open_input
    from .io.references import sample as sample
    from .io.scripts import to_python as to_python
    from .io.tables import read_table as read_table
    from .io.tables import write_table as write_table
    from .io.writing import write_image as write_image
    from .stacks.engine import Engine as Engine
    from .stacks.stack import Selection as Selection
    from .stacks.stack import Stack as Stack
    from .stacks.stack import stack_of as stack_of
    from .tools.calls import run as run
    from .tools.outcome import Outcome as Outcome
    from .tools.outcome import Table as Table

    __version__: str

_HOMES = {
    "Batch": "io.batch",
    "Engine": "stacks.engine",
    "Outcome": "tools.outcome",
    "Selection": "stacks.stack",
    "Stack": "stacks.stack",
    "Table": "tools.outcome",
    "load_recipe": "io.recipes",
    "open_input": "io.references",
    "open_stack": "io.opening",
    "read_model": "io.models",
    "read_table": "io.tables",
    "run": "tools.calls",
    "run_recipe": "io.batch",
    "sample": "io.references",
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
