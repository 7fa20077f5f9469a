"""Colorization: decibels above the nearest scribble, and seconds beside a plain direct solution.

Scribbles are strokes on 2 % of the pixels in the colours of the photograph. Of the set-ups, the
first four are those that the weights were published and chosen on; the others were looked at by
nobody before. "Clipped" is the nearest scribble's chroma with red, green and blue clipped, as it is
commonly done; "kept" keeps the luminance as the tool does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from common.measuring import print_table
from scipy import ndimage, sparse
from scipy.sparse.linalg import spsolve
from skimage import data
from skimage.draw import line

from napari_framewise.numerics.colorization import (
    affinity,
    chroma_of,
    coarse_chroma,
    coloured,
    factored,
    luminance_of,
)

SEEDS = range(100, 102)
SHARE = 0.02


def main() -> None:
    for title, scenes in (("The four set-ups", chosen), ("Other photographs", others)):
        rows = []
        for name, photograph in scenes():
            found = np.mean([gains(photograph, seed) for seed in SEEDS], axis=0)
            rows.append((name, *(f"{each:.2f}" for each in found)))
        means = np.mean([[float(each) for each in row[1:]] for row in rows], axis=0)
        rows.append(("mean", *(f"{each:.2f}" for each in means)))
        print_table(
            f"{title}: PSNR, dB",
            ("", "published", "correlation", "nearest, kept", "nearest, clipped", "quick answer"),
            rows,
        )
    print_table("Astronaut, 512 x 512, in one run", ("", "CPU s"), seconds())


def chosen() -> Iterator[tuple[str, Any]]:
    astronaut = data.astronaut() / 255.0
    yield "astronaut 512", astronaut
    yield "coffee", data.coffee() / 255.0
    yield "chelsea", data.chelsea() / 255.0
    yield "astronaut 256", halved(astronaut)


def others() -> Iterator[tuple[str, Any]]:
    yield "rocket", data.rocket()[:420, :630] / 255.0
    yield "ihc", data.immunohistochemistry() / 255.0
    yield "retina", halved(halved(data.retina()[:1408, :1408] / 255.0))
    yield "motorcycle", halved(data.stereo_motorcycle()[0][:480, :700] / 255.0)


def halved(image: Any) -> Any:
    rows, columns = image.shape[0] // 2, image.shape[1] // 2
    return image.reshape(rows, 2, columns, 2, 3).mean((1, 3))


def strokes(shape: tuple[int, int], seed: int) -> Any:
    random = np.random.default_rng(seed)
    marked = np.zeros(shape, bool)
    limit = np.array(shape) - 1
    while marked.mean() < SHARE:
        start, angle = random.integers(0, shape, 2), random.uniform(0, 2 * np.pi)
        way = random.uniform(6, 40) * np.array([np.sin(angle), np.cos(angle)])
        end = np.clip(start + way, 0, limit).astype(int)
        marked[line(*start.tolist(), *end.tolist())] = True
    return marked


def gains(photograph: Any, seed: int) -> list[float]:
    grey, chroma = luminance_of(photograph), chroma_of(photograph)
    marked = strokes(grey.shape, seed)
    places = ndimage.distance_transform_edt(~marked, return_indices=True)[1]
    nearest = chroma[tuple(places)]
    weights = affinity(grey)
    answers = [
        coloured(grey, factored(weights, marked).solve(chroma)),
        coloured(grey, factored(affinity(grey, "correlation"), marked).solve(chroma)),
        coloured(grey, nearest),
        clipped(grey, nearest),
        coloured(grey, coarse_chroma(grey, weights, marked, chroma)),
    ]
    return [-10 * float(np.log10(np.mean((each - photograph) ** 2))) for each in answers]


def clipped(grey: Any, chroma: Any) -> Any:
    green = grey - (0.299 * chroma[..., 0] + 0.114 * chroma[..., 1]) / 0.587
    return np.clip(np.stack([grey + chroma[..., 0], green, grey + chroma[..., 1]], -1), 0, 1)


def seconds() -> list[tuple[str, str]]:
    photograph = data.astronaut() / 255.0
    grey, chroma = luminance_of(photograph), chroma_of(photograph)
    marked = strokes(grey.shape, SEEDS[0])
    weights = affinity(grey)
    coarse_chroma(grey, weights, marked, chroma)
    rows = []

    def timed(name: str, call: Callable[[], Any]) -> Any:
        began = time.process_time()
        answer = call()
        rows.append((name, f"{time.process_time() - began:.2f}"))
        return answer

    timed("weights", lambda: affinity(grey))
    system = timed("factors", lambda: factored(weights, marked))
    mine = timed("a changed colour", lambda: system.solve(chroma))
    timed("the quick answer", lambda: coarse_chroma(grey, weights, marked, chroma))
    theirs = timed(
        "as published: rows of scribbles kept, SuperLU's own order (COLAMD)",
        lambda: plain(weights, marked, chroma),
    )
    rows.append(("greatest difference of both, chroma", f"{np.abs(mine - theirs).max():.1e}"))
    return rows


def plain(weights: Any, marked: Any, chroma: Any) -> Any:
    size = marked.size
    numbers = np.arange(size).reshape(marked.shape)
    matrix = sparse.identity(size, format="lil").tocsr()
    for offset, each in zip(weights.offsets, weights.weights, strict=True):
        use = (each > 0) & ~marked
        there = numbers + offset[0] * marked.shape[1] + offset[1]
        entries = (-each[use], (numbers[use], there[use]))
        matrix = matrix + sparse.csr_matrix(entries, shape=(size, size))
    right = np.where(marked[..., None], chroma, 0.0).reshape(size, 2)
    return spsolve(matrix.tocsc(), right).reshape(chroma.shape)


if __name__ == "__main__":
    main()
