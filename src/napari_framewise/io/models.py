"""Models as files: one .npz with a JSON header, nothing pickled."""

from __future__ import annotations

import os

from ..tools.model import Model


def write_model(model: Model, path: str | os.PathLike[str]) -> None:
    """Write a model as one file ending in .npz."""
    raise NotImplementedError


def read_model(path: str | os.PathLike[str]) -> Model:
    """The model in a file that `write_model` wrote."""
    raise NotImplementedError
