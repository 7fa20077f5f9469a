"""Where nothing can be seen no motion is invented, and confidence means something."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from napari_framewise.numerics.flow import Flow, FlowSettings, estimate

from .scenes import Array, errors, shifted, texture

SHAPE = (96, 104)


def of(first: Array, second: Array, noise: float = 0.0, seed: int = 0, **options: object) -> Flow:
    rng = np.random.default_rng(900 + seed)
    pair = [each + rng.normal(0, noise, each.shape) for each in (first, second)]
    return estimate(pair[0][None], pair[1][None], FlowSettings(**options))  # type: ignore[arg-type]


def wrong(flow: Flow, shift: tuple[float, float]) -> float:
    """Share of the confident pixels that are more than a pixel off."""
    confident = flow.confidence() > 0.5
    off = errors(flow.displacement, shift, border=0) if confident.any() else np.zeros(1)
    return float((off[confident] > 1).mean()) if confident.any() else 0.0


def confident(flow: Flow) -> float:
    return float((flow.confidence() > 0.5).mean())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("blur", [0.0, 1.0])
def test_noise_does_not_move(seed: int, blur: float) -> None:
    rng = np.random.default_rng(seed)
    pair = [ndimage.gaussian_filter(rng.normal(100, 3, SHAPE), blur) for _ in range(2)]
    flow = of(*pair)
    assert np.median(np.hypot(*flow.displacement)) < 1
    assert confident(flow) < 0.005
    assert (flow.evidence.structure() == 0).mean() > 0.9


@pytest.mark.parametrize("blur", [1.0, 2.5])
def test_unrelated_frames_have_no_motion(blur: float) -> None:
    flow = of(texture(SHAPE, 1, blur), texture(SHAPE, 2, blur))
    assert confident(flow) < 0.005
    assert np.median(np.hypot(*flow.displacement)) < 1


def test_a_flat_background_takes_the_smooth_extension_and_no_confidence() -> None:
    cover = np.zeros(SHAPE)
    cover[25:60, 30:70] = 1
    cover = ndimage.gaussian_filter(cover, 3)
    first = 100 + (texture(SHAPE, 3) - 127) * cover
    shift = (2.6, -3.3)
    flow = of(first, shifted(first, shift), noise=2.0)
    off = errors(flow.displacement, shift, border=0)
    assert np.median(off[cover > 0.5]) < 0.1
    assert np.median(off[cover < 0.01]) < 1.0
    sure = flow.confidence() > 0.5
    assert sure[cover > 0.8].mean() > 0.9
    assert not sure[ndimage.maximum_filter(cover, 33) < 0.01].any()
    assert wrong(flow, shift) <= 0.05


@pytest.mark.parametrize("noise", [0.0, 3.0])
@pytest.mark.parametrize(
    ("period", "shift"), [(12, (0.0, 3.0)), (9, (2.0, -2.0)), (16, (-5.0, 9.0))]
)
def test_a_lattice_might_have_moved_otherwise(
    period: int, shift: tuple[float, float], noise: float
) -> None:
    y, x = np.indices(SHAPE)

    def lattice(dy: float, dx: float) -> Array:
        waves = np.cos(2 * np.pi * (y - dy) / period) + np.cos(2 * np.pi * (x - dx) / period)
        return 100 + 30 * waves

    flow = of(lattice(0, 0), lattice(*shift), noise)
    assert confident(flow) < 0.01
    rival = flow.evidence.rival
    assert np.median(rival) == pytest.approx(period / np.sqrt(2), abs=1.5) or np.median(
        rival
    ) == pytest.approx(period, abs=1.5)
    if max(np.abs(shift)) < period / 3:
        # Among the motions that look the same it is the smallest.
        assert np.median(errors(flow.displacement, shift)) < 0.1


@pytest.mark.parametrize("seed", range(2))
def test_a_lattice_of_half_a_small_frame_might_have_moved_otherwise(seed: int) -> None:
    y, x = np.indices((32, 32)) + 31 * seed

    def dots(dy: float, dx: float) -> Array:
        waves = np.cos(2 * np.pi * (y - dy) / 15) + np.cos(2 * np.pi * (x - dx) / 15)
        return np.asarray(100 + 60 * np.exp(2 * (waves - 2)))

    assert confident(of(dots(0, 0), dots(-9, 4), 2.0, seed)) == 0
    # So small a frame of something that does not repeat is told.
    scene = texture((32, 32), 11 + seed)
    assert confident(of(scene, shifted(scene, (1.2, -0.7)), 2.0, seed)) > 0.5


def test_a_few_pixels_that_look_known_by_chance_are_not() -> None:
    # The clock turned by 180 degrees: one pixel looked known, and all of the flow followed it.
    rng = np.random.default_rng(7900)
    top, left = rng.integers(0, 109), rng.integers(0, 193)
    image = data.clock()[top : top + 192, left : left + 208].astype(float)
    pair = [each + rng.normal(0, 1, each.shape) for each in (image, np.rot90(image, 2))]
    flow = estimate(pair[0][None], pair[1][None])
    assert confident(flow) == 0
    assert np.abs(flow.displacement).max() < 0.5
    bead = np.zeros(SHAPE)
    bead[40, 50] = 5000
    bead = ndimage.gaussian_filter(bead, 1.5)
    assert confident(of(bead, shifted(bead, (2.0, 1.0)), noise=8.0)) > 0.01


@pytest.mark.parametrize("both", [False, True])
def test_a_vignette_is_no_motion(both: bool) -> None:
    image, shift = texture(SHAPE, 4), (2.2, -1.6)
    away = np.hypot(*(np.indices(SHAPE) / np.array(SHAPE)[:, None, None] - 0.5)) / 0.7
    light = 1 - 0.6 * away
    flow = of(light * image if both else image, light * shifted(image, shift), noise=1.0)
    assert np.mean(errors(flow.displacement, shift)) < 0.15
    assert confident(flow) > 0.7
    assert wrong(flow, shift) <= 0.05
    strict = of(image, light * shifted(image, shift), noise=1.0, brightness="constant")
    assert np.mean(errors(strict.displacement, shift)) > 0.5


@pytest.mark.parametrize("light", ["vignette", "lamp"])
def test_light_over_a_plain_sky_is_no_motion(light: str) -> None:
    y, x = np.indices(SHAPE)
    cover = ndimage.gaussian_filter(((y < 40) & (x < 45)) * 1.0, 2)
    scene, shift = 160 + (texture(SHAPE, 4) - 127) * cover, (2.2, -1.6)

    def lit(at: float) -> Array:
        away = np.hypot(y - 50 - at, x - 55)
        if light == "vignette":
            return 1 - 0.5 * np.hypot(y - 48, x - 52) / 71
        return np.asarray(0.4 + 0.8 * np.exp(-(away**2) / (2 * 40**2)))

    flow = of(lit(0) * scene, lit(9) * shifted(scene, shift), noise=2.0)
    assert confident(flow) > 0.08
    assert wrong(flow, shift) <= 0.05
    assert np.mean(errors(flow.displacement, shift, border=0)) < 0.8
    # Light alone moves nothing.
    still = of(100 * lit(0), 100 * lit(9), noise=2.0)
    assert confident(still) < 0.005


@pytest.mark.parametrize("count", [6, 25])
def test_sparse_beads_carry_their_background(count: int) -> None:
    rng = np.random.default_rng(count)
    places, shift = rng.uniform(8, np.array(SHAPE) - 8, (count, 2)), (-2.7, 1.8)
    y, x = np.indices(SHAPE)
    first, second = (
        20 + sum(200 * np.exp(-((y - p) ** 2 + (x - q) ** 2) / 6) for p, q in places + each)
        for each in (np.zeros(2), np.array(shift))
    )
    flow = of(np.asarray(first), np.asarray(second), noise=3.0)
    assert np.mean(errors(flow.displacement, shift, border=0)) < 0.4
    assert confident(flow) > 0.05
    assert wrong(flow, shift) <= 0.05


@pytest.mark.parametrize("shift", [(1.3, -0.6), (-4.2, 5.5)])
def test_as_much_noise_as_signal(shift: tuple[float, float]) -> None:
    image = texture(SHAPE, 5)
    flow = of(image, shifted(image, shift), noise=image.std())
    assert np.mean(errors(flow.displacement, shift)) < 0.5
    assert wrong(flow, shift) <= 0.05
    assert confident(flow) > 0.3


@pytest.mark.parametrize("sigma", [1.5, 2.5, 4.0])
def test_a_wide_gradient_does_not_overshoot(sigma: float) -> None:
    shift = (1.3, -2.2)
    image = texture(SHAPE, 6, blur=2.0)
    flow = of(image, shifted(image, shift), gradient_sigma=sigma)
    assert np.mean(errors(flow.displacement, shift)) < 0.1


@pytest.mark.parametrize("kind", ["poisson", "impulses", "correlated"])
def test_other_noise_is_borne(kind: str) -> None:
    image, shift = texture(SHAPE, 7), (1.7, 2.4)
    rng = np.random.default_rng(8)
    pair = [image, shifted(image, shift)]
    if kind == "poisson":
        pair = [rng.poisson(np.maximum(each, 0) / 2).astype(float) for each in pair]
    elif kind == "impulses":
        pair = [
            np.where(rng.random(SHAPE) < 0.02, rng.uniform(0, 255, SHAPE), each) for each in pair
        ]
    else:
        noises = [ndimage.gaussian_filter(rng.normal(size=SHAPE), 0.8) for _ in pair]
        pair = [each + 8 * noise / noise.std() for each, noise in zip(pair, noises, strict=True)]
    flow = of(*pair)
    assert np.mean(errors(flow.displacement, shift)) < 0.25
    assert wrong(flow, shift) <= 0.05
    assert confident(flow) > 0.8
