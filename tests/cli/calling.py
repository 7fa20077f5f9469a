"""How the tests call the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

CallCli: TypeAlias = Callable[..., tuple[int, str, str]]
"""Arguments in; exit code, standard output and standard error out."""

REFERENCES = ("--references", "a.tif", "b.tif")
