"""The first use on a machine: kernels are compiled then, and it is said."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from napari_framewise.framework.tool import Tool
from napari_framewise.numerics.compiling import COMPILATION


@dataclass(frozen=True)
class WarmUp:
    """What making a tool ready took.

    Attributes
    ----------
    kernels : int
        Kernels that were compiled; none where the cache on disk held them all.
    seconds : float
        By the clock.
    """

    kernels: int
    seconds: float


def warm_up(tool: Tool[Any]) -> WarmUp:
    """Compile what a tool needs and the cache on disk does not hold."""
    before, start = COMPILATION.count, time.monotonic()
    if tool.warm_up is not None:
        tool.warm_up()
    return WarmUp(COMPILATION.count - before, time.monotonic() - start)


def compiling_text(about: float = 0.0) -> str:
    """What is said while kernels are compiled; empty where none is.

    Parameters
    ----------
    about : float
        Seconds that all of it takes, where that is known.
    """
    if not COMPILATION.active:
        return ""
    so_far = f"{COMPILATION.seconds:.0f} s so far"
    whole = f"about {about:.0f} s, {so_far}" if about else so_far
    return f"Compiling for the first use on this machine: {whole}"
