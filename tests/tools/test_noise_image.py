from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from napari_framewise.framework.outcome import ImageResult, Outcome
from napari_framewise.framework.recipe import Recipe, Step
from napari_framewise.io.runs.batch import run_recipe
from napari_framewise.stacks.source import Array
from napari_framewise.tools.calls import run


def noise(**parameters: Any) -> tuple[Outcome, ImageResult, Array]:
    outcome = run("noise_image", **parameters)
    layer = outcome.layer("noise")
    assert isinstance(layer, ImageResult)
    return outcome, layer, np.asarray(layer.data)


def test_bands_mean_and_contrast_are_those_asked_for() -> None:
    _, layer, data = noise(
        bands="0.02 to 0.1; 0.1-0.3", frames=3, rows=64, columns=80, mean=0.4, contrast=0.25
    )
    assert data.shape == (2, 3, 64, 80)
    assert [axis.name for axis in layer.grid.axes] == ["band", "t", "y", "x"]
    np.testing.assert_allclose(data.mean(axis=(2, 3), dtype=float), 0.4, atol=1e-7)
    np.testing.assert_allclose(data.std(axis=(2, 3), dtype=float), 0.1, rtol=1e-6)
    lengths = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.fftfreq(80))
    for images, (low, high) in zip(data, [(0.02, 0.1), (0.1, 0.3)], strict=True):
        for image in images:
            power = np.square(np.abs(np.fft.fft2(image - image.mean())))
            outside = (lengths < low - 1e-9) | (lengths > high + 1e-9)
            assert power[outside].sum() < 1e-10 * power.sum()


def test_frames_differ_and_the_seed_repeats_them() -> None:
    first = noise(frames=2, rows=32, columns=32)[2]
    assert not np.array_equal(first[0], first[1])
    np.testing.assert_array_equal(noise(frames=2, rows=32, columns=32)[2], first)
    assert not np.array_equal(noise(frames=2, rows=32, columns=32, seed=1)[2], first)
    np.testing.assert_array_equal(noise(rows=32, columns=32)[2], first[0])


def test_cycles_per_degree() -> None:
    degree = 2 * math.degrees(math.atan(0.25 / (2 * 570)))
    by_degree = noise(per="degree", bands="1 to 5", rows=128, columns=128)[2]
    bands = f"{1 * degree!r} to {5 * degree!r}"
    np.testing.assert_array_equal(noise(bands=bands, rows=128, columns=128)[2], by_degree)


def test_a_recipe_makes_the_same() -> None:
    recipe = Recipe(steps=(Step(tool="noise_image", parameters={"rows": 32, "columns": 32}),))
    (made,) = run_recipe(recipe).runs
    assert made.failure is None, made.error
    (layer,) = made.outcomes[0].layers
    assert isinstance(layer, ImageResult)
    np.testing.assert_array_equal(layer.data, noise(rows=32, columns=32)[2])


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"bands": "high"}, "give a lower and an upper edge"),
        ({"bands": "0.3 to 0.1"}, "upper edge must lie above"),
        ({"bands": "0.3 to 0.7"}, "above the highest frequency"),
        ({"bands": "0.001 to 0.0015"}, "below the lowest frequency"),
        ({"rows": 8, "columns": 8, "bands": "0.07 to 0.1"}, "no frequency of an image"),
    ],
)
def test_bands_that_there_are_not(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        run("noise_image", **parameters)
