"""Recipes as files: written, read, and their references resolved to stacks and models."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ..stacks.stack import Stack
from ..tools.inputs import Inputs, Value
from ..tools.outcome import Outcome
from ..tools.parameters import Parameters
from ..tools.recipe import InputRef, Recipe, Step
from ..tools.tool import Tool


def step_of(
    tool: Tool[Parameters],
    inputs: Inputs,
    parameters: Parameters,
    memory: dict[str, Value],
) -> Step:
    """The run of a tool as a step of a recipe.

    Inputs that no file stands behind are put into `memory` under the name that their reference
    holds in `InputRef.memory`; `save_recipe` writes them beside the recipe.
    """
    raise NotImplementedError


def save_recipe(
    recipe: Recipe, path: str | os.PathLike[str], memory: Mapping[str, Value] | None = None
) -> Recipe:
    """Write a recipe, and beside it in NAME.inputs what exists only in memory.

    Returns the recipe as it was written: with paths in place of memory.
    """
    raise NotImplementedError


def load_recipe(path: str | os.PathLike[str]) -> Recipe:
    """The recipe in a file, every reference to a file as an absolute path."""
    raise NotImplementedError


def resolve(ref: InputRef, results: Sequence[Outcome] = ()) -> Value:
    """What a reference of a loaded recipe names: a Stack, a Model, a Table or points."""
    raise NotImplementedError


def origin_ref(stack: Stack) -> InputRef | None:
    """Reference to the file or sample that a stack was opened from; None for memory."""
    raise NotImplementedError
