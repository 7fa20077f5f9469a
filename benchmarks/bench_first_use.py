"""The first use of each tool on a machine: what compiling its kernels adds to a run.

Run: python benchmarks/bench_first_use.py [TOOL ...]

Each tool runs on a sample at its defaults from the command line, twice in processes of their own:
with an empty cache of kernels, and again with the cache that it left. Prints the processor's
seconds of both, and what the first took beyond the second.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from common.measuring import print_table

TWO = "sample:two_references"
RUNS = {
    "mixing": [TWO, "--references", f"{TWO}/reference-1", f"{TWO}/reference-2"],
    "unmixing": ["sample:bands", "--spectra", "sample:bands/spectra"],
    "alignment": ["sample:drifting", "--frames", "0:20"],
    "flow": ["sample:known_flow", "--second", "sample:known_flow/second"],
    "statistics": [TWO],
    "normalise": [TWO],
    "standardise": [TWO],
    "bleaching": [TWO],
    "smooth": ["sample:index_image"],
    "gradient": ["sample:index_image"],
    "fill": ["sample:index_image"],
    "renormalise": [TWO, "--model", "{model}"],
}
"""Arguments of the command line, tool by tool."""


def cpu_seconds(arguments: list[str], cache: str) -> float:
    """Seconds of the processor that a call of the command line takes, its children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "napari_framewise.cli", *arguments],
        env={**os.environ, "NUMBA_CACHE_DIR": cache},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(names: list[str]) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        model = normalisation(folder) if "renormalise" in (names or RUNS) else ""
        for name in names or list(RUNS):
            arguments = [name, *(each.format(model=model) for each in RUNS[name])]
            cache = os.path.join(folder, name)
            cold, warm = cpu_seconds(arguments, cache), cpu_seconds(arguments, cache)
            rows.append((name, f"{cold:.1f}", f"{warm:.1f}", f"{cold - warm:.1f}"))
    heads = ("tool", "first run, CPU s", "next run, CPU s", "compiling, CPU s")
    print_table("The first use on a machine", heads, rows)


def normalisation(folder: str) -> str:
    """A model for renormalise."""
    out = os.path.join(folder, "out")
    cpu_seconds(["normalise", TWO, "-o", out], os.path.join(folder, "cache"))
    return next(str(each) for each in Path(out).glob("*.npz"))


if __name__ == "__main__":
    main(sys.argv[1:])
