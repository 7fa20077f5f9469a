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
    from .engine import Engine as Engine
    from .framework.outcome import Outcome as Outcome
    from .framework.outcome import Table as Table
    from .framework.session import Change as Change
    from .framework.session import Course as Course
    from .framework.valued import valued as valued
    from .io.formats.models import read_model as read_model
    from .io.formats.models import write_model as write_model
    from .io.formats.tables import read_table as read_table
    from .io.formats.tables import write_table as write_table
    from .io.formats.writing import write_image as write_image
    from .io.opening import open_stack as open_stack
    from .io.recipes.files import load_recipe as load_recipe
    from .io.recipes.files import save_recipe as save_recipe
    from .io.recipes.references import open_input as open_input
    from .io.recipes.references import sample as sample
    from .io.recipes.scripts import to_python as to_python
    from .io.runs.batch import Batch as Batch
    from .io.runs.batch import run_recipe as run_recipe
    from .io.runs.reproducing import reproduce as reproduce
    from .stacks.stack import Selection as Selection
    from .stacks.stack import Stack as Stack
    from .stacks.stack import stack_of as stack_of
    from .tools.calls import run as run

    __version__: str

_HOMES = {
    "Batch": "io.runs.batch",
    "Change": "framework.session",
    "Course": "framework.session",
    "Engine": "engine",
    "Outcome": "framework.outcome",
    "Selection": "stacks.stack",
    "Stack": "stacks.stack",
    "Table": "framework.outcome",
    "load_recipe": "io.recipes.files",
    "open_input": "io.recipes.references",
    "open_stack": "io.opening",
    "read_model": "io.formats.models",
    "read_table": "io.formats.tables",
    "reproduce": "io.runs.reproducing",
    "run": "tools.calls",
    "run_recipe": "io.runs.batch",
    "sample": "io.recipes.references",
    "save_recipe": "io.recipes.files",
    "stack_of": "stacks.stack",
    "to_python": "io.recipes.scripts",
    "valued": "framework.valued",
    "write_image": "io.formats.writing",
    "write_model": "io.formats.models",
    "write_table": "io.formats.tables",
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
