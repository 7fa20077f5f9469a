"""Curves through drawn sections of a weld, beside pwlf on the same sightings, in one run.

Sections of seeds that nothing was chosen on: the distance of each curve from its truth along the
normal, over all columns of all outlines; CPU seconds for each outline.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from common.measuring import print_table

from napari_framewise.numerics.curves import (
    outline_curve,
    outline_paths,
    outline_sightings,
    outline_strength,
)
from napari_framewise.samples.section import SHAPE, boundaries, drawn

SEEDS = 50
PWLF_SEEDS = 3


def main(seeds: int = SEEDS) -> None:
    x = np.arange(SHAPE[1], dtype=np.float64)
    span = (0.0, float(SHAPE[1] - 1))
    found: dict[str, list[Any]] = {}
    spent: dict[str, list[float]] = {}
    wrong = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        truth = boundaries(rng)
        image = drawn(truth, rng, SHAPE[0])
        began = time.process_time()
        strength = outline_strength(image)
        paths = outline_paths(strength)
        seen = [outline_sightings(path, strength) for path in paths]
        before = (time.process_time() - began) / len(truth)
        if len(paths) != len(truth):
            wrong.append(seed)
            continue
        methods: dict[str, Callable[[Any], Any]] = {
            "spline": lambda each: outline_curve(each, span).values(x),
            "straight pieces": lambda each: outline_curve(each, span, "pieces").values(x),
        }
        if seed < PWLF_SEEDS:
            methods |= {"pwlf, 8 segments": lambda each: pwlf_curve(each, x)}
        for name, method in methods.items():
            began = time.process_time()
            curves = [method(each) for each in seen]
            spent.setdefault(name, []).append(before + (time.process_time() - began) / len(truth))
            away = np.abs(np.array(curves) - truth) / np.hypot(1, np.gradient(truth, axis=1))
            found.setdefault(name, []).append(away)
    rows = [
        (
            name,
            str(len(each)),
            f"{np.mean(each):.3f}",
            f"{np.percentile(each, 95):.3f}",
            f"{max(scene.mean() for scene in each):.2f}",
            f"{np.mean(spent[name]):.2f}",
        )
        for name, each in found.items()
    ]
    head = ("", "sections", "mean px", "95 % px", "worst section", "CPU s an outline")
    print_table("Distance from the truth", head, rows)
    print(f"\nNot exactly one path for each outline: seeds {wrong or 'none'} of {seeds}")


def pwlf_curve(seen: Any, x: Any) -> Any:
    """Pwlf's fast fit of eight segments to the same sightings."""
    import pwlf

    fitted = pwlf.PiecewiseLinFit(seen.columns, seen.rows, weights=np.sqrt(seen.weights))
    fitted.fitfast(8)
    return fitted.predict(x)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
