"""Filters through the engine: two workers beside one.

``python benchmarks/bench_filters.py [--quick] [tool ...]``. 2,000 x 256 x 256, float32, of which
5 % of the pixels are missing (none for the band-pass filter). Wall clock, so that it tells on a
machine that does nothing else; processor time beside it: with two workers it should stay the same.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
from common.measuring import print_table

from napari_framewise.engine import Engine
from napari_framewise.tools.calls import run

TOOLS: dict[str, dict[str, Any]] = {
    "smooth": {},
    "gradient": {},
    "fill": {},
    "rank": {},
    "local_statistics": {},
    "speckle": {},
    "bilateral": {"range_sigma": 0.1},
    "bandpass": {},
}


def scene(frames: int, tool: str) -> np.ndarray:
    random = np.random.default_rng(0)
    values = random.random((frames, 256, 256), dtype=np.float32) + np.float32(1)
    if tool != "bandpass":
        values[random.random(values.shape, dtype=np.float32) < 0.05] = np.nan
    return values


def timed(tool: str, values: np.ndarray, workers: int) -> tuple[float, float]:
    """Wall and processor seconds."""
    with Engine.local(workers) as engine:
        began, used = time.perf_counter(), time.process_time()
        run(tool, stack=values, result="memory", engine=engine, **TOOLS[tool])
        return time.perf_counter() - began, time.process_time() - used


def main() -> None:
    named = [name for name in sys.argv[1:] if not name.startswith("-")]
    frames = 200 if "--quick" in sys.argv else 2000
    rows: list[list[object]] = []
    for tool in named or TOOLS:
        values = scene(frames, tool)
        timed(tool, values[:20], 1)
        # One after the other, on a machine that does nothing else.
        one, two = timed(tool, values, 1), timed(tool, values, 2)
        rows.append([tool, one[0], one[0] / two[0], two[1] / one[1]])
    heads = [
        "",
        "one worker, s",
        "two workers, times faster",
        "processor time, ratio",
    ]
    print_table(f"{frames:,} frames of 256 x 256", heads, rows)


if __name__ == "__main__":
    main()
