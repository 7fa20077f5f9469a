"""Timing and memory for benchmarks: ratios measured side by side in one run."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import numba
import numpy as np


def best_times(
    calls: dict[str, Callable[[int, int], object]], n: int, block: int, repeats: int
) -> dict[str, float]:
    """Seconds of this thread's processor that each call takes for frames 0 to n, undisturbed.

    Every call works on one block of frames after the other, all calls take turns, and the least
    time of each block is summed: what the work costs when nothing else runs on the machine.
    """
    starts = range(0, n, block)
    least = {name: np.full(len(starts), np.inf) for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            for place, start in enumerate(starts):
                began = time.thread_time()
                call(start, min(start + block, n))
                took = time.thread_time() - began
                least[name][place] = min(least[name][place], took)
    return {name: float(times.sum()) for name, times in least.items()}


def best_time(call: Callable[[], object], repeats: int = 3) -> float:
    """Least seconds of this thread's processor in some repeats."""
    least = np.inf
    for _ in range(repeats):
        began = time.thread_time()
        call()
        least = min(least, time.thread_time() - began)
    return float(least)


@numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "nsz"})
def read_through(values):  # type: ignore[no-untyped-def]
    """Sum a flat array: the limit that one thread reads at."""
    total = 0
    for j in range(len(values)):
        total += values[j]
    return total


def peak_growth(code: str, setup: str = "") -> float:
    """Peak memory in MiB that `code` adds to that of `setup`, in a process of its own."""
    script = (
        f"import sys\nsys.path[:0] = {sys.path!r}\nfrom common.measuring import resident_peak\n"
        f"{setup}\nbefore = resident_peak()\n{code}\nprint(resident_peak() - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def resident_peak() -> float:
    """Most memory that this process has held, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def print_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table in Markdown."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for row in rows:
        cells = (f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in row)
        print("| " + " | ".join(cells) + " |", flush=True)
