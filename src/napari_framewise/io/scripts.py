"""Recipes as Python scripts: Copy as Python."""

from __future__ import annotations

from ..tools.recipe import Recipe


def to_python(recipe: Recipe) -> str:
    """A script that runs the recipe's steps with the public Python calls."""
    raise NotImplementedError
