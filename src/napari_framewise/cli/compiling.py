"""`napari-framewise compile`: make tools ready before their first use, for images and clusters."""

from __future__ import annotations

import sys
from argparse import Namespace

from napari_framewise.framework.first_use import WarmUp, warm_up
from napari_framewise.framework.progress_line import ProgressLine
from napari_framewise.tools.calls import engine_for
from napari_framewise.tools.registry import TOOLS, get_tool


def compile_tools(given: Namespace) -> int:
    """Compile the kernels of some tools, or of all, here or in every worker; the exit code."""
    names = given.tools or list(TOOLS)
    for name in names:
        get_tool(name)
    shown = sys.stderr.isatty() and not given.quiet
    with engine_for(None, given.cluster) as engine, ProgressLine(shown) as line:
        for name in names:
            done = engine.executor.everywhere(warm_up_tool, name)
            line.clear()
            if not given.quiet:
                sys.stdout.write(f"{name}: {_told(done)}\n")
                sys.stdout.flush()
    return 0


def warm_up_tool(name: str) -> WarmUp:
    """Make the tool of that name ready in this process; importable by workers."""
    return warm_up(get_tool(name))


def _told(done: list[WarmUp]) -> str:
    kernels = sum(each.kernels for each in done)
    where = f" in {len(done)} workers" if len(done) > 1 else ""
    if not kernels:
        return f"ready already{where}"
    plural = "" if kernels == 1 else "s"
    seconds = max(each.seconds for each in done)
    return f"{kernels} kernel{plural} compiled{where} in {seconds:.1f} s"
