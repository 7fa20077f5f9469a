"""Tools called from Python: arrays and numbers in, an outcome out."""

from __future__ import annotations

from typing import Any

from ..stacks.engine import Engine
from .outcome import Outcome


def run(
    tool: str,
    *,
    engine: Engine | None = None,
    cluster: str | None = None,
    progress: bool = False,
    **given: Any,
) -> Outcome:
    """Run a tool on arrays, stacks or files."""
    raise NotImplementedError
