"""Rigid motion of volumes: drawn scenes of a known motion, noise repeated, nothing to find."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from scipy import ndimage

from napari_framewise.numerics.alignment import Alignment, Status
from napari_framewise.numerics.rigid import RigidMotion, RigidSettings, align, names, prepare
from napari_framewise.numerics.rigid.motions import corner_points, directions, step

SHAPE = (14, 44, 48)
SCALE = (2.5, 1.0, 1.0)


def drawn(points: np.ndarray, seed: int = 0, scale: tuple[float, ...] = SCALE) -> np.ndarray:
    """A scene of blobs at positions (..., d) in pixels: nothing is interpolated."""
    rng = np.random.default_rng(seed)
    size = np.array(scale)
    values = np.zeros(points.shape[:-1])
    for _ in range(110):
        centre = rng.uniform(-8, np.array([14, 52, 56])[-len(scale) :] * size + 8)
        height, width = rng.uniform(-1, 1), rng.uniform(3.0, 6.0)
        values += height * np.exp(-(((points * size - centre) ** 2).sum(-1)) / (2 * width**2))
    return values


def grid(shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).astype(float)


def truth(motion: RigidMotion) -> np.ndarray:
    """From pixels of the template to those of the image."""
    parameters = np.array([0.7, -2.3, 3.6, 0.02, -0.03, 0.06])
    along = directions(motion, SCALE)
    return step(parameters[: len(along)], along, (np.array(SHAPE) - 1) / 2)


@lru_cache
def pair(motion: RigidMotion) -> tuple[np.ndarray, np.ndarray]:
    """Template, and image: ``image(M p) = template(p)``."""
    back = np.linalg.inv(truth(motion))
    return drawn(grid()), drawn(grid() @ back[:3, :3].T + back[:3, 3])


def distance(found: Alignment, wanted: np.ndarray) -> float:
    away = (found.matrix - wanted)[:-1]
    points = corner_points(SHAPE)
    return float(np.sqrt(((points @ away[:, :-1].T + away[:, -1]) ** 2).sum(1).mean()))


@pytest.mark.parametrize("motion", ["translation", "euclidean"])
def test_a_motion_is_found_to_a_hundredth_of_a_pixel(motion: RigidMotion) -> None:
    template, image = pair(motion)
    settings = RigidSettings(motion=motion)
    found = align(prepare(template, scale=SCALE, settings=settings), 1.3 * image + 4)
    assert found.status == Status.CONVERGED
    assert distance(found, truth(motion)) < 0.005
    np.testing.assert_allclose([found.gain, found.offset], [1.3, 4], rtol=2e-3)
    size = np.array([*SCALE, 1.0])
    linear = (found.matrix * size[:, None] / size)[:3, :3]
    np.testing.assert_allclose(linear @ linear.T, np.eye(3), atol=1e-12)
    assert len(found.covariance) == len(names(motion, 3))


def test_planes_are_aligned_as_well() -> None:
    at = grid((60, 64))
    template, image = (drawn(at + shift, scale=(1.0, 1.0)) for shift in (0, np.array([1.4, -2.2])))
    found = align(prepare(template, settings=RigidSettings(motion="translation")), image)
    np.testing.assert_allclose(found.matrix[:2, 2], [-1.4, 2.2], atol=0.005)


@pytest.mark.parametrize("noise", ["white", "photons"])
def test_the_stated_error_covers_the_truth(noise: str) -> None:
    template, image = pair("translation")
    wanted = truth("translation")[:3, 3]
    rng = np.random.default_rng(4)
    squares = []
    for _ in range(24):
        if noise == "white":
            one, two = (each + rng.normal(0, 0.15, SHAPE) for each in (template, image))
        else:
            one, two = (rng.poisson(30 * np.maximum(each + 1.5, 0)) for each in (template, image))
        settings = RigidSettings(motion="translation", start="given")
        found = align(prepare(one, scale=SCALE, settings=settings), two)
        away = found.matrix[:3, 3] - wanted
        squares.append(away @ np.linalg.solve(found.covariance, away))
    # Mean of chi squared with 3 degrees of freedom, and its spread over so many trials.
    assert 1.8 < np.mean(squares) < 4.8


def test_a_noisy_pair_is_found_and_no_reference_is_favoured() -> None:
    template, image = pair("translation")
    rng = np.random.default_rng(7)
    spread = template.std()
    errors = []
    for _ in range(4):
        one, two = (each + rng.normal(0, spread, SHAPE) for each in (template, image))
        found = align(prepare(one, scale=SCALE, settings=RigidSettings(motion="translation")), two)
        errors.append(found.matrix[:3, 3] - truth("translation")[:3, 3])
    # Noise of the template must not draw shifts towards 0.
    assert np.abs(np.mean(errors, axis=0)).max() < 0.1


def test_nothing_to_find_is_said() -> None:
    template, _ = pair("translation")
    rng = np.random.default_rng(1)
    ready = prepare(template, scale=SCALE)
    unlike = {Status.UNLIKE, Status.AMBIGUOUS, Status.LEFT, Status.FLAT}
    assert align(ready, rng.normal(size=SHAPE)).status in unlike
    assert align(ready, drawn(grid(), seed=5)).status in unlike
    assert align(ready, np.full(SHAPE, np.nan)).status == Status.NO_DATA
    assert align(prepare(np.full(SHAPE, 3.0)), template).status == Status.NO_DATA
    at = 2 * np.pi * grid() / 8
    lattice = np.cos(at).sum(axis=-1) + rng.normal(0, 0.02, SHAPE)
    assert align(prepare(lattice), np.roll(lattice, 3, axis=2)).status in unlike
    plates = np.cos(at[..., 0]) + rng.normal(0, 0.02, SHAPE)
    assert align(prepare(plates), plates + rng.normal(0, 0.02, SHAPE)).status in unlike


@pytest.mark.parametrize("motion", ["translation", "euclidean"])
def test_what_the_image_shows_twice_is_ambiguous(motion: RigidMotion) -> None:
    rng = np.random.default_rng(3)
    texture = 2 * rng.normal(size=(12, 26, 26))
    texture = ndimage.gaussian_filter(texture, (1, 2, 2))
    image = np.zeros((14, 50, 74))
    image[1:13, 4:30, 3:29] = texture
    image[1:13, 20:46, 45:71] = texture
    settings = RigidSettings(motion=motion)
    template, image = (each + rng.normal(0, 0.01, each.shape) for each in (texture, image))
    assert align(prepare(template, settings=settings), image).status == Status.AMBIGUOUS
    image[1:13, 20:46, 45:71] = rng.normal(0, 0.01, texture.shape)
    assert align(prepare(template, settings=settings), image).found


def test_no_data_and_masks_have_no_say() -> None:
    template, image = pair("translation")
    settings = RigidSettings(motion="translation")
    mask = np.ones(SHAPE, bool)
    mask[:, 10:20, 30:40] = False
    found = []
    for junk in (0.0, 1e4, np.nan):
        dirty = np.where(mask, image, junk)
        found.append(align(prepare(template, scale=SCALE, settings=settings), dirty, mask))
    assert np.array_equal(found[0].matrix, found[1].matrix)
    assert np.array_equal(found[0].matrix, found[2].matrix)
    assert distance(found[0], truth("translation")) < 0.01


@pytest.mark.parametrize("exponent", [-40, 40])
def test_a_unit_changes_no_bit(exponent: int) -> None:
    template, image = pair("translation")
    settings = RigidSettings(motion="translation")
    plain = align(prepare(template, scale=SCALE, settings=settings), image)
    unit = 2.0**exponent
    scaled = align(prepare(template * unit, scale=SCALE, settings=settings), image * unit)
    assert np.array_equal(plain.matrix, scaled.matrix)
    assert scaled.rmse == plain.rmse * unit


def test_what_does_not_fit_is_refused_in_a_sentence() -> None:
    ready = prepare(pair("translation")[0])
    for image in (np.zeros((3, 4)), np.zeros(SHAPE, complex), np.zeros((2, 2, 2, 2))):
        with pytest.raises(ValueError, match="give"):
            align(ready, image)
    with pytest.raises(ValueError, match="mask"):
        align(ready, np.zeros(SHAPE), np.ones((2, 2)))
    with pytest.raises(ValueError, match="scale"):
        prepare(np.zeros(SHAPE), scale=(1.0, 0.0, 1.0))
