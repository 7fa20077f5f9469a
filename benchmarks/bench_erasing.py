"""Random erasing: requests met exactly, the time of each, evenness of places, and peers.

Requests of 1 to 90 % in images of odd sides from 31 to 513 pixels, 1 to 4 rectangles; and of gaps
in images of 4 to 16 pixels a side, where many can't be met.
"""

from __future__ import annotations

import time
from collections import Counter
from importlib import import_module
from typing import Any

import numpy as np
from common.measuring import print_table
from scipy import stats

from napari_framewise.numerics.erasing import ImpossibleError, random_rectangles

REQUESTS, TINY, PEERS = 10_000, 2_000, 300


def main() -> None:
    random_rectangles((31, 31), 800, 3, seed=0)  # Compiles.
    header = ("", "exact and disjoint", "proved impossible", "undecided", "aspect given up",
              "CPU ms, mean", "99 %", "99.9 %", "greatest", "over 2 ms")  # fmt: skip
    rows = [asked("1 to 90 %", usual), asked("tiny, with gaps", tiny)]
    print_table("Requests", header, rows)
    print_table("Evenness", ("", "places", "draws", "chi-square p"), evenness())
    print_table(
        "20 % of 240 x 320 pixels", ("", "exact, %", "mean error, %", "worst, %", "CPU ms"), peers()
    )


def usual(number: int) -> dict[str, Any]:
    random = np.random.default_rng((1, number))
    sides = 2 * np.exp(random.uniform(np.log(15), np.log(256), 2)).astype(int) + 1
    pixels = round(random.uniform(0.01, 0.9) * int(sides.prod()))
    return {"shape": tuple(sides.tolist()), "pixels": pixels, "count": 1 + number % 4}


def tiny(number: int) -> dict[str, Any]:
    random = np.random.default_rng((2, number))
    sides = random.integers(4, 17, 2)
    count = 2 + number % 3
    pixels = int(random.integers(count, sides.prod() + 1))
    gap = int(random.integers(1, 4))
    return {"shape": tuple(sides.tolist()), "pixels": pixels, "count": count, "gap": gap}


def asked(title: str, request: Any) -> tuple[object, ...]:
    count = REQUESTS if request is usual else TINY
    said: Counter[str] = Counter()
    times = np.empty(count)
    for number in range(count):
        given = request(number)
        began = time.thread_time()
        try:
            found = random_rectangles(**given, seed=(3, number))
        except ImpossibleError:
            answer = "impossible"
        except ValueError:
            answer = "undecided"
        else:
            answer = "met"
        times[number] = 1e3 * (time.thread_time() - began)
        said[answer] += 1
        if answer == "met":
            said["given up"] += not found.aspect_kept
            covered = np.zeros(given["shape"], int)
            boxes = np.concatenate([found.places, found.sizes], axis=1)
            for row, column, height, width in boxes.tolist():
                covered[row : row + height, column : column + width] += 1
            said["right"] += covered.sum() == given["pixels"] and covered.max() == 1
    assert said["right"] == said["met"]
    return (
        title,
        f"{said['right']:,} of {count:,}",
        f"{said['impossible']:,}",
        f"{said['undecided']:,}",
        f"{said['given up']:,}",
        f"{times.mean():.2f}",
        *(f"{np.quantile(times, share):.2f}" for share in (0.99, 0.999)),
        f"{times.max():.1f}",
        f"{(times > 2).sum():,}",
    )


def evenness() -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for title, shape, pixels, count in (("one", (9, 11), 12, 1), ("two", (5, 6), 7, 2)):
        seen: Counter[Any] = Counter()
        draws = 60_000
        for seed in range(draws):
            found = random_rectangles(shape, pixels, count, seed=(4, seed))
            if found.even:
                seen[(tuple(map(tuple, found.sizes)), tuple(map(tuple, found.places)))] += 1
        by_size: dict[Any, list[int]] = {}
        for (sizes, _), times in seen.items():
            by_size.setdefault(sizes, []).append(times)
        statistic = sum(float(stats.chisquare(each).statistic) for each in by_size.values())
        freedom = sum(len(each) - 1 for each in by_size.values())
        p = float(stats.chi2.sf(statistic, freedom))
        rows.append(
            (f"{title} in {shape[0]} x {shape[1]}", len(seen), sum(seen.values()), f"{p:.2f}")
        )
    return rows


def peers() -> list[tuple[object, ...]]:
    wanted, size = 0.2 * 240 * 320, 240 * 320
    methods: dict[str, Any] = {"here, 1 rectangle": lambda seed: ours(seed, 1)}
    methods |= {"here, 4 rectangles": lambda seed: ours(seed, 4)}
    methods |= theirs()
    rows = []
    for name, method in methods.items():
        method(0)
        began = time.process_time()
        off = np.array([abs(method(seed) - wanted) for seed in range(PEERS)])
        taken = 1e3 * (time.process_time() - began) / PEERS
        rows.append((name, f"{100 * (off < 0.5).mean():.1f}", f"{100 * off.mean() / size:.2f}",
                     f"{100 * off.max() / size:.1f}", f"{taken:.2f}"))  # fmt: skip
    return rows


def ours(seed: int, count: int) -> float:
    return float(random_rectangles((240, 320), 15_360, count, seed=seed).pixels)


def theirs() -> dict[str, Any]:
    found: dict[str, Any] = {}
    image = np.full((240, 320, 3), 7, np.uint8)
    try:
        torch, transforms = import_module("torch"), import_module("torchvision.transforms")
    except ImportError:
        print("torchvision is not installed")
    else:
        erase = transforms.RandomErasing(p=1, scale=(0.2, 0.2), ratio=(0.3, 3.3), value=0)
        tensor = torch.full((3, 240, 320), 7.0)
        found["torchvision RandomErasing"] = lambda _: float((erase(tensor)[0] == 0).sum())
    try:
        kornia = import_module("kornia.augmentation")
    except ImportError:
        print("kornia is not installed")
    else:
        cut = kornia.RandomErasing(scale=(0.2, 0.2), ratio=(0.3, 3.3), p=1.0)
        batch = import_module("torch").full((1, 3, 240, 320), 7.0)
        found["kornia RandomErasing"] = lambda _: float((cut(batch)[0, 0] == 0).sum())
    try:
        albumentations = import_module("albumentations")
    except ImportError:
        print("albumentations is not installed")
    else:
        one = albumentations.Erasing(scale=(0.2, 0.2), ratio=(0.3, 3.3), fill=0, p=1.0)
        holes = albumentations.CoarseDropout(
            num_holes_range=(4, 4), hole_height_range=(0.22, 0.22), hole_width_range=(0.22, 0.22),
            fill=0, p=1.0,
        )  # fmt: skip
        for name, change in (("Erasing", one), ("CoarseDropout, 4", holes)):
            found[f"albumentations {name}"] = lambda _, change=change: float(
                (change(image=image)["image"][..., 0] == 0).sum()
            )
    return found


if __name__ == "__main__":
    main()
