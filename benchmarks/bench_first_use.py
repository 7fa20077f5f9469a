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

import numpy as np
from common.measuring import print_table
from scipy import ndimage

from napari_framewise.tools.registry import get_tool

TWO = "sample:two_references"
RUNS = {
    "mixing": [TWO, "--references", f"{TWO}/reference-1", f"{TWO}/reference-2"],
    "unmixing": ["sample:bands", "--spectra", "sample:bands/spectra"],
    "alignment": ["sample:drifting", "--frames", "0:20"],
    "flow": ["sample:known_flow", "--second", "sample:known_flow/second"],
    "elastic": ["sample:bent_tissue", "--reference", "sample:bent_tissue/reference"],
    "rigid": ["{volumes}"],
    "residual_motion": ["sample:drifting", "--frames", "0:60"],
    "calibration": ["sample:dots", "--frames", "0:1"],
    "statistics": [TWO],
    "contour_normals": ["sample:holed_photograph/hole"],
    "difference": ["sample:known_changes", "--reference", "sample:known_changes/reference"],
    "quality": ["sample:clean_noisy_restored/smoothed", "--truth",
                "sample:clean_noisy_restored/truth"],
    "noise_level": ["sample:drifting", "--frames", "0:20"],
    "similarity": ["sample:cropped", "--frames", "0:60"],
    "grid_nodes": ["sample:dots", "--frames", "0:1"],
    "psf": ["sample:out_of_focus/led"],
    "normalise": [TWO],
    "standardise": [TWO],
    "bleaching": [TWO],
    "smooth": ["sample:index_image"],
    "gradient": ["sample:index_image"],
    "rank": ["sample:index_image"],
    "local_statistics": ["sample:index_image"],
    "speckle": ["sample:speckled"],
    "fill": ["sample:index_image"],
    "inpainting": ["sample:holed_photograph", "--hole", "sample:holed_photograph/hole"],
    "bilateral": ["sample:index_image"],
    "tonemap": ["sample:bright_window"],
    "bandpass": ["sample:drifting", "--frames", "0:20"],
    "deconvolution": ["sample:out_of_focus", "--psf", "sample:out_of_focus/led"],
    "renormalise": [TWO, "--model", "{normalisation}"],
    "erasing": ["sample:index_image"],
    "colorization": ["sample:grey_photograph", "--scribbles", "sample:grey_photograph/scribbles"],
    "warp": ["sample:drifting", "--transform", "{transforms}"],
    "undistort": ["sample:dots", "--calibration", "{calibration}"],
    "resample": ["sample:zone_plate"],
    "noise_image": [],
}  # fmt: skip
"""Arguments of the command line, tool by tool; names in braces are files that `given` makes."""


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
        for name in names or list(RUNS):
            arguments = [name, *(given(each, folder) for each in RUNS[name])]
            cache, out = os.path.join(folder, f"{name} kernels"), os.path.join(folder, "out")
            arguments += ["-o", out, "--overwrite"]
            cold, warm = cpu_seconds(arguments, cache), cpu_seconds(arguments, cache)
            said = f"{get_tool(name).compile_seconds:g}"
            rows.append((name, f"{cold:.1f}", f"{warm:.1f}", f"{cold - warm:.1f}", said))
            print(*rows[-1], file=sys.stderr, flush=True)
    heads = ("tool", "first run, CPU s", "next run, CPU s", "compiling, CPU s", "it says, s")
    print_table("The first use on a machine", heads, rows)


def given(argument: str, folder: str) -> str:
    """An argument with the file that stands in braces made."""
    if not argument.startswith("{"):
        return argument
    makers = {
        "volumes": lambda: volumes(folder),
        "normalisation": lambda: model(["normalise", TWO], folder),
        "transforms": lambda: model(["alignment", "sample:drifting"], folder),
        "calibration": lambda: model(["calibration", *RUNS["calibration"]], folder),
    }
    return makers[argument.strip("{}")]()


def volumes(folder: str) -> str:
    """Three small volumes, each shifted a little further."""
    rng = np.random.default_rng(0)
    scene = ndimage.gaussian_filter(rng.normal(size=(20, 60, 60)), 2)
    moved = [ndimage.shift(scene, (0.2 * k, 0.7 * k, -0.4 * k))[2:-2, 6:-6, 6:-6] for k in range(3)]
    path = os.path.join(folder, "volumes.npy")
    np.save(path, 1e4 * np.array(moved, np.float32))
    return path


def model(arguments: list[str], folder: str) -> str:
    """The file of the model that a tool fits."""
    out = os.path.join(folder, f"model of {arguments[0]}")
    cpu_seconds([*arguments, "-o", out], os.path.join(folder, "kernels"))
    return next(str(each) for each in Path(out).glob("*.npz"))


if __name__ == "__main__":
    main(sys.argv[1:])
