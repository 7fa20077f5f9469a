"""How often the 95 % intervals of mixing coefficients hold the truth.

``python benchmarks/bench_mixing_coverage.py [--quick]``: by the kind of noise, by where the
difference of the references lies, by constraint, and with noisy references. The limit of leverage
was chosen on one pixel of 49 beside an even rest; no other scene here had a part in any choice.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from common.measuring import print_table
from scipy.ndimage import gaussian_filter

from napari_framewise.numerics import mixing

KINDS = ("Gaussian", "Poisson", "correlated", "impulses")
SIDES = {49: 7, 400: 20, 4096: 64}


def noisy(clean: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Frames (n, y, x) with noise of about 10 counts."""
    if kind == "Poisson":
        return rng.poisson(clean).astype(np.float64)
    noise = rng.normal(0, 10, clean.shape)
    if kind == "correlated":
        noise = gaussian_filter(noise, (0, 0.6, 0.6), mode="wrap")
        noise *= 10 / noise.std()
    elif kind == "impulses":
        noise += np.where(rng.random(clean.shape) < 0.02, 150.0, 0.0) - 3.0
    return clean + noise


def even(count: int, pixels: int, rng: np.random.Generator) -> np.ndarray:
    """References that differ in every pixel."""
    return rng.uniform(60, 160, (count, SIDES[pixels], SIDES[pixels]))


def few(carriers: int, pixels: int, rng: np.random.Generator, ratio: float = 1.0) -> np.ndarray:
    """Two references that differ in few pixels only, the last of them by a `ratio`."""
    base = rng.uniform(60, 160, pixels)
    first = base.copy()
    first[:carriers] += 200
    first[carriers - 1] = base[carriers - 1] + 200 * ratio
    return np.stack([first, base]).reshape(2, SIDES[pixels], SIDES[pixels])


def hot(pixels: int, rng: np.random.Generator) -> np.ndarray:
    """Even references, the first with a hot pixel of leverage 0.85."""
    references = even(2, pixels, rng)
    rest = references[0] - references[1]
    rest[0, 0] = 0
    references[0, 0, 0] = references[1, 0, 0] + np.sqrt(0.85 / 0.15 * (rest**2).sum())
    return references


def held(
    references: np.ndarray, truth: np.ndarray, kind: str, n: int, seed: int = 0, **options: Any
) -> str:
    """Share of the first coefficient's intervals that hold the truth, of those that are given."""
    rng = np.random.default_rng(seed)
    frames = noisy(np.tensordot(truth, references, 1)[None].repeat(n, 0), kind, rng)
    if "reweigh" in options:
        options.pop("reweigh")
        options |= {"detector": mixing.Detector(), "poisson_weights": True, "middle": truth}
    fit = mixing.fit(frames, mixing.prepare(references, **options))
    low, high = (each[:, 0] for each in mixing.confidence_interval(fit))
    given = np.isfinite(low)
    if not given.any():
        return "none"
    share = ((low <= truth[0]) & (truth[0] <= high))[given].mean()
    few_given = f" ({given.mean():.0%} given)" if given.mean() < 0.99 else ""
    return f"{100 * share:.1f}{few_given}"


def by_place(n: int) -> list[list[object]]:
    rng = np.random.default_rng(1)
    scenes = {
        "49 pixels, all": even(2, 49, rng),
        "4,096 pixels, all": even(2, 4096, rng),
        **{f"{k} of 49 pixels": few(k, 49, rng) for k in (1, 2, 3, 5)},
        "2 of 4,096 pixels": few(2, 4096, rng),
        "5 of 4,096 pixels": few(5, 4096, rng),
        "2 of 49 pixels, one of them half as much": few(2, 49, rng, 0.5),
        "49 pixels, one hot (leverage 0.85)": hot(49, rng),
    }
    truth = np.array([0.6, 0.4])
    rows: list[list[object]] = []
    for label, references in scenes.items():
        count = n if references[0].size < 1000 else n // 10
        for errors in ("hc2", "hc3", "classical"):
            found = [held(references, truth, kind, count, errors=errors) for kind in KINDS]
            rows.append([label, errors, *found])
    return rows


def by_constraint(n: int) -> list[list[object]]:
    rng = np.random.default_rng(2)
    references = even(3, 49, rng)
    inside, edge = np.array([0.5, 0.3, 0.2]), np.array([0.6, 0.4, 0.0])
    cases: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
        "none": (inside, {"constraint": "none"}),
        "sum to one": (inside, {}),
        "non-negative": (inside, {"constraint": "non_negative"}),
        "fully constrained": (inside, {"constraint": "fully_constrained"}),
        "fully constrained, the third absent": (edge, {"constraint": "fully_constrained"}),
        "bounded to 0.1-0.9": (inside, {"bounds": (0.1, 0.9)}),
        "free offset": (inside, {"offset": True}),
        "free gain": (inside, {"gain": True}),
        "photon-noise weights": (inside, {"reweigh": True}),
        "Huber": (inside, {"loss": "huber"}),
    }
    rows: list[list[object]] = []
    for label, (truth, options) in cases.items():
        found = [held(references, truth, kind, n, errors="hc2", **options) for kind in KINDS]
        rows.append([label, *found])
    return rows


def with_noisy_references(repeats: int) -> list[list[object]]:
    """References measured anew in every repeat, as means of replicates."""
    rows: list[list[object]] = []
    truth = np.array([0.65, 0.35])
    for pixels in (49, 400):
        for replicates in (2, 4, 10):
            for spread in (10.0, 25.0):
                rng = np.random.default_rng(3)
                inside = []
                for _ in range(repeats):
                    real = even(2, pixels, rng)
                    shape = (2, replicates, *real.shape[1:])
                    measured = real[:, None] + rng.normal(0, spread, shape)
                    pairs = [mixing.average_replicates(each) for each in measured]
                    means, noise = (np.stack(each) for each in zip(*pairs, strict=True))
                    frames = noisy(np.tensordot(truth, real, 1)[None].repeat(5, 0), "Gaussian", rng)
                    options = ({"reference_noise": noise}, {})
                    for given, shared in (
                        (options[0], True),
                        (options[0], False),
                        (options[1], False),
                    ):
                        fit = mixing.fit(frames, mixing.prepare(means, errors="hc2", **given))  # type: ignore[arg-type]
                        low, high = mixing.confidence_interval(fit, shared=shared)
                        inside.append(((low <= truth) & (truth <= high))[:, 0].mean())
                shares = np.reshape(inside, (repeats, 3)).mean(axis=0)
                rows.append([pixels, replicates, spread, *(f"{100 * each:.1f}" for each in shares)])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer frames")
    quick = parser.parse_args().quick
    n = 2_000 if quick else 20_000
    print_table(
        "By where the difference lies, % of intervals that hold the truth",
        ["difference in", "errors", *KINDS],
        by_place(n),
    )
    print_table(
        "By constraint: three references, 49 pixels, HC2", ["constraint", *KINDS], by_constraint(n)
    )
    print_table(
        "Noisy references: means of replicates, HC2",
        ["pixels", "replicates", "noise", "with the shared error", "own error", "not corrected"],
        with_noisy_references(60 if quick else 600),
    )


if __name__ == "__main__":
    main()
