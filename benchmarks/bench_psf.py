"""How far the centroid of a point is off, beside the bound of Cramer and Rao.

``python benchmarks/bench_psf.py``. 60 spots of Gaussian shape at random places, photon noise and 3
counts of read noise, of seeds that nothing was chosen on. Below the bound no estimate can be when
all but the place is known.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from common.measuring import print_table
from scipy.special import erf

from napari_framewise.numerics.psf import point_psf

Image = np.ndarray[Any, Any]
SPOTS, SIDE, READ_NOISE, FIRST_SEED, STEP = 60, 61, 3.0, 90_000, 1e-3
CASES = (
    (5000, 100, 1.2),
    (2000, 100, 2.0),
    (1000, 600, 1.2),
    (1000, 600, 2.0),
    (300, 100, 2.0),
    (200, 600, 2.0),
)
"""Peak and background in counts, sigma in pixels."""


def spot(place: Image, peak: float, sigma: float) -> Image:
    """A Gaussian integrated over pixels."""

    def along(centre: float) -> Image:
        edges = np.arange(SIDE + 1) - 0.5 - centre
        return np.asarray(np.diff(erf(edges / sigma / np.sqrt(2))) / 2)

    return peak * 2 * np.pi * sigma**2 * np.outer(along(place[0]), along(place[1]))


def off_and_bound(
    peak: float, background: float, sigma: float, seed: int
) -> tuple[Image, Image, float]:
    """How far one spot's centroid is off along y and x, its stated errors, the bound along y."""
    random = np.random.default_rng(seed)
    place = SIDE // 2 + random.uniform(-0.5, 0.5, 2)
    light = spot(place, peak, sigma)
    seen = random.poisson(light + background) + random.normal(0, READ_NOISE, light.shape)
    ahead, behind = (spot(place + np.array([s, 0]), peak, sigma) for s in (STEP, -STEP))
    slope = (ahead - behind) / (2 * STEP)
    information = np.sum(slope**2 / (light + background + READ_NOISE**2))
    found = point_psf(seen, (10, 10))
    return found.place - place, found.place_error, float(information**-0.5)


def main() -> None:
    rows = []
    for case in CASES:
        found = [off_and_bound(*case, FIRST_SEED + number) for number in range(SPOTS)]
        off = np.concatenate([each for each, _, _ in found])
        error = np.concatenate([each for _, each, _ in found])
        bound = np.mean([each for _, _, each in found])
        numbers = np.sqrt(np.mean(off**2)), bound, abs(off).max(), np.mean(abs(off) < 1.96 * error)
        rows.append((case, *(f"{each:.4f}" for each in numbers)))
    heads = ("peak, background, sigma", "rms off, pixels", "bound", "worst", "within 1.96 errors")
    print_table(f"{SPOTS} spots", heads, rows)


if __name__ == "__main__":
    main()
