"""PSFs measured beside those that made the images, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy import ndimage
from skimage import data as photographs
from tests.helpers.tool_contract import ToolContract

from napari_framewise.io.formats.models import read_model, write_model
from napari_framewise.numerics.psf import centroid, disc_psf, gaussian_psf, point_psf, widths
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import stack_of
from napari_framewise.tools.calls import run
from napari_framewise.tools.psf import PSF


def spot(place: tuple[float, ...], sigma: float = 2.0, size: int = 40, seed: int = 0) -> Array:
    grids = np.mgrid[tuple(slice(size) for _ in place)]
    off = sum((grid - at) ** 2 for grid, at in zip(grids, place, strict=True))
    light = 50 * np.exp(-off / 2 / sigma**2)
    return np.asarray(30 + light + np.random.default_rng(seed).normal(0, 0.5, light.shape))


def kernel_of(**given: Any) -> Array:
    model = run("psf", **given).model()
    assert isinstance(model, PSF)
    return model.kernel


class TestContract(ToolContract):
    name = "psf"
    compares = "pixels"
    parameters: ClassVar[dict[str, Any]] = {"radius": "8px"}

    def frames(self) -> Array:
        return np.rint(np.stack([spot((20.3, 18.6), seed=n) for n in range(3)]))


def test_centroids_of_points_are_right_to_a_fiftieth_of_a_pixel() -> None:
    random = np.random.default_rng(1)
    off = []
    for _ in range(30):
        place = tuple(random.uniform(18, 22, 2))
        image = random.poisson(100 + 40 * (spot(place) - 30).clip(0)).astype(float)
        row = run("psf", stack=image, radius="10px").table("psf").row(0)
        off.append((row["centre_row"] - place[0], row["centre_column"] - place[1]))
    assert np.sqrt(np.mean(np.square(off))) < 0.02


def test_the_place_of_a_faint_point_is_nearly_as_good_as_can_be() -> None:
    random, off, bounds, stated = np.random.default_rng(5), [], [], []
    grids = np.mgrid[:45, :45]
    for _ in range(60):
        place = random.uniform(20, 24, 2)
        off_by = [grid - at for grid, at in zip(grids, place, strict=True)]
        light = 1000 * np.exp(-(off_by[0] ** 2 + off_by[1] ** 2) / 8)
        image = random.poisson(light + 600).astype(float)
        found = point_psf(image, (10, 10))
        off.append(found.place - place)
        stated.append(found.place_error)
        # Cramer and Rao, for counts of photons of which all but the place is known.
        slopes = light * off_by[0] / 4
        bounds.append(1 / np.sqrt(np.sum(slopes**2 / (light + 600))))
    error, bound = np.sqrt(np.mean(np.square(off))), float(np.mean(bounds))
    assert 0.02 < bound < 0.03
    assert error < 1.3 * bound
    # Once the ring alone was counted: 0.6 of it.
    assert np.mean(stated) == pytest.approx(error, rel=0.2)


def test_a_point_that_is_not_symmetric_keeps_its_centroid() -> None:
    grids = np.mgrid[:45, :45]
    core = np.exp(-((grids[0] - 22.3) ** 2 + (grids[1] - 21.8) ** 2) / 8)
    tail = np.exp(-((grids[0] - 25.3) ** 2 + (grids[1] - 21.8) ** 2) / 8)
    found = point_psf(2000 * (0.7 * core + 0.3 * tail) + 100, (12, 12))
    np.testing.assert_allclose(found.place, (23.2, 21.8), atol=0.05)


def test_noise_that_is_correlated_makes_no_point() -> None:
    for seed in range(12):
        noise = np.random.default_rng(seed).normal(0, 3, (96, 96))
        with pytest.raises(ValueError, match=r"No point stands out|border"):
            run("psf", stack=100 + ndimage.gaussian_filter(noise, 1.5))


def test_defects_and_saturated_points_are_told_of() -> None:
    defect = np.random.default_rng(6).normal(100, 1, (41, 41))
    defect[20, 20] = 5000
    said = run("psf", stack=defect).diagnostics
    assert any("single pixel" in each for each in said)
    clipped = np.minimum(spot((20.3, 19.6), sigma=3.0), 60.0)
    said = run("psf", stack=clipped, radius="12px").diagnostics
    assert any("saturated" in each for each in said)
    assert not run("psf", stack=spot((20.3, 19.6)), radius="9px").diagnostics


def test_the_background_is_that_of_the_ring_and_the_psf_that_of_the_spot() -> None:
    image = spot((20.4, 19.7))
    outcome = run("psf", stack=image, radius="10px", energy=1.0)
    row = outcome.table("psf").row(0)
    assert row["background"] == pytest.approx(30, abs=0.2)
    assert row["light"] == pytest.approx(50 * 2 * np.pi * 4, rel=0.03)
    kernel = outcome.model().kernel  # type: ignore[attr-defined]
    assert kernel.sum() == pytest.approx(1)
    np.testing.assert_allclose((row["centre_row"], row["centre_column"]), (20.4, 19.7), atol=0.02)
    # Noise of 0.5 over pi 8^2 pixels moves the plain centroid by 0.023, one standard error.
    np.testing.assert_allclose(centroid(kernel) - np.array(kernel.shape) // 2, 0, atol=0.06)
    np.testing.assert_allclose(widths(kernel), 2, rtol=0.06)
    bright = 1000 * (spot((20.4, 19.7)) - 30) + np.random.default_rng(8).normal(0, 5, image.shape)
    kernel = run("psf", stack=bright, radius="6px").model().kernel  # type: ignore[attr-defined]
    np.testing.assert_allclose(centroid(kernel) - np.array(kernel.shape) // 2, 0, atol=0.02)


def test_beads_are_averaged_and_those_that_touch_left_out() -> None:
    places = np.array([[15.0, 15.3], [15.4, 50.0], [50.2, 15.0], [50.0, 50.0], [50.0, 58.0]])
    image = np.full((70, 70), 30.0)
    grids = np.mgrid[:70, :70]
    for y, x in places:
        image += 50 * np.exp(-((grids[0] - y) ** 2 + (grids[1] - x) ** 2) / 8)
    image += np.random.default_rng(2).normal(0, 0.5, image.shape)
    given = np.rint(places) + 1.0
    outcome = run("psf", stack=image, points=given, method="beads", radius="9px")
    assert outcome.table("psf").row(0)["beads"] == 3
    assert any("Left out: beads 3" in each for each in outcome.diagnostics)


def test_a_pair_gives_the_kernel_between_its_images() -> None:
    whole = photographs.camera().astype(float)
    kernel = disc_psf((3.0, 3.0))
    noise = np.random.default_rng(3).normal(0, 0.5, whole.shape)
    blurred = ndimage.convolve(whole, kernel) + noise
    part = np.s_[100:260, 100:260]
    found = kernel_of(stack=blurred[part], sharp=whole[part], method="pair", radius="6px")
    np.testing.assert_allclose(widths(found), widths(kernel), rtol=0.2)
    np.testing.assert_allclose(centroid(found) - np.array(found.shape) // 2, 0, atol=0.2)


def test_formulas_take_widths_in_the_units_of_the_layer() -> None:
    stack = stack_of(
        np.zeros((20, 20)), scale=(0.2, 0.1), units=("micrometer", "micrometer"), axes=("y", "x")
    )
    found = kernel_of(stack=stack, method="gaussian", width="0.2um")
    np.testing.assert_allclose(found, gaussian_psf((1.0, 2.0)))
    disc = kernel_of(stack=np.zeros((20, 20)), method="disc", width=3.0)
    np.testing.assert_allclose(disc, disc_psf((3.0, 3.0)))


def test_a_model_is_saved_loaded_and_applied(tmp_path: Path) -> None:
    image = spot((20.0, 20.0))
    model = run("psf", stack=image, radius="9px").model()
    write_model(model, tmp_path / "psf.npz")
    again = read_model(tmp_path / "psf.npz")
    one, other = (
        run("deconvolution", stack=image, psf_model=each, iterations=4) for each in (model, again)
    )
    np.testing.assert_array_equal(np.asarray(one.layers[0].data), np.asarray(other.layers[0].data))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"stack": np.random.default_rng(4).normal(9, 1, (41, 41))}, "No point stands out|border"),
        ({"stack": spot((3.0, 20.0))}, "nearer to the border"),
        ({"stack": spot((20.0, 20.0)), "method": "pair"}, "No sharp image"),
        ({"stack": spot((20.0, 20.0)), "method": "beads"}, "No beads were marked"),
        ({"stack": spot((20.0, 20.0)), "frame": 4}, "counted from 0"),
        ({"stack": np.zeros((9, 9)), "method": "image"}, "zeros alone"),
    ],
)
def test_what_cannot_be_measured_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        run("psf", **given)
