"""Files and recipes for the tests of recipes, batches and the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.helpers import asking, everything, likeness, toolbox

from napari_framewise.framework.recipe import InputRef, Recipe, Step
from napari_framewise.stacks.source import Array
from napari_framewise.tools import registry


def add_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the tests' own tools among the others."""
    monkeypatch.setitem(registry.TOOLS, "shifts", toolbox.ENTRY)
    monkeypatch.setitem(registry.TOOLS, "everything", everything.ENTRY)
    monkeypatch.setitem(registry.TOOLS, "asking", asking.ENTRY)
    monkeypatch.setitem(registry.TOOLS, "likeness", likeness.ENTRY)


def write_frames(path: Path, n: int = 4, shape: tuple[int, int] = (5, 6), seed: int = 0) -> Array:
    """Random frames in a .npy file, and the same as an array."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = np.random.default_rng(seed).integers(0, 1000, (n, *shape)).astype(np.uint16)
    np.save(path, frames)
    return frames


def everything_on(*paths: Path, **parameters: object) -> Recipe:
    """A recipe of one step: the tool that gives everything, on files."""
    refs = tuple(InputRef(path=str(path), name=path.stem) for path in paths)
    return Recipe(
        steps=(Step(tool="everything", inputs={"stack": refs}, parameters=dict(parameters)),)
    )
