"""Tools called from Python: arrays and numbers in, an outcome out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import numpy as np

from ..stacks.axes import Axis
from ..stacks.engine import Engine
from ..stacks.stack import Stack, stack_of
from .inputs import TYPES, Input
from .outcome import ImageResult, Outcome
from .progress_line import ProgressLine
from .registry import get_tool

R = TypeVar("R")
T = TypeVar("T")
_VALUES = (*TYPES.values(), ImageResult)


def run(
    tool: str,
    *,
    engine: Engine | None = None,
    cluster: str | None = None,
    progress: bool = False,
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
    inputs = chosen.check_inputs(
        {name: values_of(roles[name], value) for name, value in given.items() if name in roles}
    )
    parameters = chosen.check_parameters(
        {name: value for name, value in given.items() if name not in roles}
    )
    with ProgressLine(shown=progress) as line, engine_for(engine, cluster) as where:
        return finish(chosen.run(inputs, parameters, where), line.show)


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


def finish(run: Generator[R, None, T], report: Callable[[R], None]) -> T:
    """Run a generator to its end, passing on what it yields; give back what it returns."""
    with closing(run):
        while True:
            try:
                report(next(run))
            except StopIteration as end:
                value: T = end.value
                return value


def values_of(role: Input, value: Any) -> Any:
    """What was given for a role with arrays as stacks; a list may hold several values.

    Raises
    ------
    ValueError
        Where a text was given: files are opened first.
    """
    several = isinstance(value, (list, tuple)) and (
        role.most > 1 or any(isinstance(each, _VALUES) for each in value)
    )
    if several:
        return tuple(_value_of(role, each, f"{role.name} {n}") for n, each in enumerate(value, 1))
    return _value_of(role, value, role.name)


def value_of(value: Any, name: str = "stack") -> Any:
    """A layer result or an array as a stack; anything else unchanged."""
    if isinstance(value, ImageResult):
        return stack_of_result(value)
    if isinstance(value, _VALUES) or not hasattr(value, "dtype"):
        return value
    return stack_of(value, name=name)


def stack_of_result(image: ImageResult) -> Stack:
    """An image result as a stack, for the next tool or for a file."""
    axes = image.placing.axes + ((Axis("c"),) if image.rgb else ())
    return stack_of(
        image.data,
        axes=[axis.name for axis in axes],
        scale=[axis.scale for axis in axes],
        translate=[axis.translate for axis in axes],
        units=[axis.unit for axis in axes],
        rgb=image.rgb,
        name=image.name,
    )


def _value_of(role: Input, value: Any, name: str) -> Any:
    if isinstance(value, str):
        raise ValueError(
            f"{role.title} was given the text {value!r}; open the file first: "
            f"{role.name}=open_stack({value!r})."
        )
    if role.images and isinstance(value, (list, tuple)):
        value = np.asarray(value)
    return value_of(value, name)
