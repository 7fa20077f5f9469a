"""Tools called from Python: arrays and numbers in, an outcome out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import Notice, finish
from napari_framewise.framework.inputs import Input
from napari_framewise.framework.on_disk import check_folder
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.progress_line import ProgressLine
from napari_framewise.framework.session import Course
from napari_framewise.framework.tool import Tool
from napari_framewise.framework.values import values_of
from napari_framewise.framework.wording import worded
from napari_framewise.tools.registry import get_tool


def run(
    tool: str,
    *,
    engine: Engine | None = None,
    cluster: str | None = None,
    progress: bool = False,
    course: Course | None = None,
    folder: str | os.PathLike[str] | None = None,
    **given: Any,
) -> Outcome:
    """Run a tool.

    Parameters
    ----------
    tool : str
        Its name; ``napari-framewise list`` prints all.
    engine : Engine, optional
        Where it runs; by default in threads of this process.
    cluster : str, optional
        Address of a dask scheduler to run on instead, such as ``tcp://host:8786``.
    progress : bool
        Show a line of progress on the standard error.
    course : Course, optional
        Of a tool that is steered: which inputs change after which step, and after how many steps it
        ends; to its end by default.
    folder : path, optional
        Where results are written that memory does not hold, such as a matrix of all pairs of very
        many images.
    **given
        Inputs by role, everything else parameters; ``napari-framewise TOOL --help`` lists both.
        An input is a Stack (`open_stack`, `stack_of`), an array (its last two axes are y and x),
        a Model or a Table, or a list of them.

    Returns
    -------
    Outcome
        Tables, layers, models, a summary and diagnostics.

    Raises
    ------
    ValueError
        In one sentence, where inputs or parameters are not what the tool needs.
    """
    chosen = get_tool(tool)
    roles = {role.name: role for role in chosen.inputs}
    names = list(chosen.parameters.model_fields)
    for name in given:
        if name not in roles and name not in names:
            raise ValueError(
                f"{tool} has no input or parameter {name!r}; the inputs are: {', '.join(roles)}; "
                f"the parameters are: {', '.join(names)}."
            )
    with _worded(chosen):
        inputs = chosen.check_inputs(
            {name: values_of(roles[name], value) for name, value in given.items() if name in roles}
        )
        parameters = chosen.check_parameters(
            {name: value for name, value in given.items() if name not in roles}, called=str
        )
        with ProgressLine(shown=progress) as line, engine_for(engine, cluster) as where:
            line.compile_seconds = chosen.compile_seconds
            if folder is not None:
                where = where.writing_to(folder)
            check_folder(chosen, inputs, parameters, where, "give folder= for it")
            for text in chosen.warnings(inputs, parameters, where) if progress else ():
                line.show(Notice(text))
            steps = chosen.start(inputs, parameters, where, _resolved(course, roles))
            return finish(steps, line.show)


@contextmanager
def _worded(tool: Tool[Any]) -> Iterator[None]:
    """Errors that speak of arguments, not of a panel's fields."""
    try:
        yield
    except ValueError as error:
        if type(error) is ValueError:
            error.args = (worded(str(error), tool, str),)
        raise


def _resolved(course: Course | None, roles: Mapping[str, Input]) -> Course | None:
    """A course with arrays as what its roles take."""
    if course is None:
        return None
    changes = []
    for change in course.changes:
        if change.role not in roles:
            raise ValueError(
                f"The course changes {change.role!r}; the inputs are: {', '.join(roles)}."
            )
        values = tuple(values_of(roles[change.role], value) for value in change.values)
        changes.append(replace(change, values=values))
    return replace(course, changes=tuple(changes))


@contextmanager
def engine_for(engine: Engine | None, cluster: str | None) -> Iterator[Engine]:
    """The engine asked for: a given one, a cluster's, or threads of this process.

    Only what was opened here is closed afterwards.
    """
    if engine is not None and cluster is not None:
        raise ValueError("Both an engine and a cluster were given; give one of them.")
    if engine is not None:
        yield engine
        return
    with Engine.local() if cluster is None else Engine.cluster(cluster) as opened:
        yield opened
