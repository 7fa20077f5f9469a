from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from napari_framewise.engine import Engine
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.recipe import InputRef, Recipe, Step
from napari_framewise.io.ragged import open_images
from napari_framewise.io.recipes.scripts import to_python
from napari_framewise.io.runs.batch import run_recipe
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.statistics import TOOL


def colour_images(count: int = 20) -> list[np.ndarray]:
    """Images of different sizes and brightness."""
    rng = np.random.default_rng(0)
    return [
        (rng.integers(0, 100, (*rng.integers(12, 50, 2), 3)) + rng.integers(0, 150)).astype("u1")
        for _ in range(count)
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, image in enumerate(colour_images()):
        Image.fromarray(image).save(tmp_path / f"image {number}.png")
    return tmp_path


def row(outcome: Outcome, name: str = "statistics") -> dict[str, Any]:
    return dict(outcome.table(name).columns)


@pytest.mark.parametrize("dtype", ["?", "u1", "u2", "i2", "u4", "f2", "f4", "f8", ">u2"])
def test_a_stack_is_measured_as_numpy_would(dtype: str) -> None:
    values = np.abs(np.random.default_rng(0).normal(90, 30, (50, 16, 17)))
    frames = values > 90 if dtype == "?" else values.astype(dtype)
    outcome = run("statistics", stack=frames, percentiles=(5, 50, 95))
    found, exact = row(outcome), frames.astype(np.float64)
    assert found["mean"][0] == pytest.approx(exact.mean(), rel=1e-13)
    assert found["std"][0] == pytest.approx(exact.std(), rel=1e-13)
    assert (found["minimum"][0], found["maximum"][0]) == (exact.min(), exact.max())
    for percentile in (5, 50, 95):
        assert found[f"p{percentile}"][0] == pytest.approx(np.percentile(exact, percentile))
    images = row(outcome, "images")
    np.testing.assert_allclose(images["mean"], exact.mean(axis=(1, 2)), rtol=1e-13)
    np.testing.assert_allclose(images["std"], exact.std(axis=(1, 2)), rtol=1e-12)
    histogram = row(outcome, "histogram")
    assert histogram["pixels"].sum() == frames.size
    assert len(histogram["value"]) <= 256
    centre = (histogram["value"] * histogram["pixels"]).sum() / frames.size
    width = histogram["value"][1] - histogram["value"][0]
    assert centre == pytest.approx(exact.mean(), abs=width / 2)


def test_images_of_different_sizes_count_by_pixels_or_alike(folder: Path) -> None:
    images = colour_images()
    pixels = np.concatenate([image.reshape(-1, 3) for image in images]).astype(np.float64)
    ragged = open_images(folder)
    assert isinstance(ragged, RaggedStack)
    outcome = run("statistics", stack=ragged)
    found = row(outcome)
    np.testing.assert_allclose(found["mean"], pixels.mean(axis=0), rtol=1e-15)
    np.testing.assert_allclose(found["std"], pixels.std(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found["p1"], np.percentile(pixels, 1, axis=0))
    covariance = row(outcome, "covariance")["covariance"]
    wanted = np.cov(pixels.T, bias=True)[np.triu_indices(3)]
    np.testing.assert_allclose(covariance, wanted, rtol=1e-12)
    assert (found["mean_of_stds_off"] < -30).all()
    assert "too low" in outcome.summary
    assert row(outcome, "images")["name"][10] == "image 10.png"
    alike = row(run("statistics", stack=ragged, weights="images"))
    means = np.array([image.reshape(-1, 3).mean(axis=0) for image in images])
    np.testing.assert_allclose(alike["mean"], means.mean(axis=0), rtol=1e-13)


def test_means_and_deviations_are_ready_for_a_transform(folder: Path) -> None:
    outcome = run("statistics", stack=open_images(folder))
    pixels = np.concatenate([image.reshape(-1, 3) for image in colour_images()]) / 255
    found = row(outcome)
    np.testing.assert_allclose(found["mean_01"], pixels.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found["std_01"], pixels.std(axis=0), rtol=1e-12)
    assert found["mean_01"].tolist() == [each / 255 for each in found["mean"]]
    floats = run("statistics", stack=np.random.default_rng(0).random((3, 4, 5)))
    assert not {"mean_01", "std_01"} & set(row(floats))


def test_a_folder_runs_from_a_recipe_and_as_python(folder: Path) -> None:
    step = Step(tool="statistics", inputs={"stack": (InputRef(path=str(folder)),)}, parameters={})
    batch = run_recipe(Recipe(steps=(step,)))
    assert not batch.failed, batch.summary
    direct = run("statistics", stack=open_images(folder))
    np.testing.assert_array_equal(batch.table("statistics").columns["std"], row(direct)["std"])
    assert batch.recipe is not None
    assert f"fw.open_input({str(folder)!r}, 'images')" in to_python(batch.recipe)


def test_bits_do_not_depend_on_the_threads() -> None:
    frames = np.random.default_rng(0).normal(5, 2, (300, 40, 41, 2)).astype(np.float32)
    stack = stack_of(frames, axes=("t", "y", "x", "c"))
    one, two = (run("statistics", stack=stack, engine=Engine.local(n)) for n in (1, 2))
    for table in one.tables:
        for name, values in table.columns.items():
            np.testing.assert_array_equal(values, two.table(table.name).columns[name])


def test_a_mask_and_missing_pixels() -> None:
    frames = np.random.default_rng(0).normal(5, 2, (8, 9, 10))
    frames[2] = np.nan
    frames[3, 4, 4] = np.inf
    mask = np.zeros((9, 10))
    mask[2:7, 3:8] = 1
    outcome = run("statistics", stack=frames, mask=mask)
    inside = frames[:, 2:7, 3:8]
    known = inside[np.isfinite(inside)]
    assert row(outcome)["std"][0] == pytest.approx(known.std(), rel=1e-13)
    assert row(outcome)["pixels"][0] == len(known)
    assert [said.partition(" held")[0] for said in outcome.diagnostics] == ["1 image", "1 image"]
    lost = run("statistics", stack=np.full((2, 3, 3), np.nan))
    assert lost.summary == "No image holds data."


def test_the_preview_measures_one_image(folder: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (5, 6, 7)).astype(np.uint8)
    parameters = TOOL.check_parameters({})
    inputs = TOOL.check_inputs({"stack": stack_of(frames)})
    assert f"mean {frames[3].mean():.6g}" in TOOL.preview(inputs, parameters, 3).summary
    ragged = TOOL.check_inputs({"stack": open_images(folder)})
    assert "image 2.png" in TOOL.preview(ragged, parameters, 2).summary
    for given in (inputs, ragged):
        assert TOOL.plan(given, parameters, Engine.local(2)).describe()
        assert TOOL.advise is not None
        assert "once" in TOOL.advise(given, parameters)


def test_what_makes_no_sense_is_refused_in_a_sentence(folder: Path) -> None:
    ragged = open_images(folder)
    with pytest.raises(ValueError, match="one size only"):
        run("statistics", stack=ragged, mask=np.ones((5, 5)))
    with pytest.raises(ValueError, match="differ in size"):
        run("normalise", stack=ragged)
    with pytest.raises(ValueError, match="between 0 and 100"):
        run("statistics", stack=np.zeros((2, 3, 3)), percentiles=(101,))
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(folder / "image 99.png")
    with pytest.raises(ValueError, match=r"image 99\.png"):
        open_images(folder)
    (folder / "image 99.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    with pytest.raises(ValueError, match=r"image 99\.png"):
        open_images(folder)
