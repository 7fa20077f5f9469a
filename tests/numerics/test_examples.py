"""Public functions of numerics have examples, and these run."""

from __future__ import annotations

import doctest
import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_framewise.numerics

ROOT = Path(napari_framewise.numerics.__path__[0])


def public_functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Functions that a subject shows; compiling one's kernels ahead shows nothing."""
    for path in sorted(ROOT.iterdir()):
        if path.name.startswith("__") or path.name == "common":
            continue
        face = import_module(f"{napari_framewise.numerics.__name__}.{path.stem}")
        names = getattr(face, "__all__", None) or [name for name in vars(face) if name[0] != "_"]
        for name in names:
            value = getattr(face, name)
            ours = inspect.isfunction(value) and value.__module__.startswith(face.__name__)
            if ours and name != "warm_up":
                yield f"{path.stem}.{name}", value


FUNCTIONS = dict(public_functions())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_its_examples_run(name: str) -> None:
    function = FUNCTIONS[name]
    finder = doctest.DocTestFinder(recurse=False)
    names = {**vars(inspect.getmodule(function) or object), "np": np}
    (test,) = finder.find(function, name, globs=names)
    assert test.examples, f"{name} has no example"
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    assert runner.run(test, out=said.append).failed == 0, "".join(said)
