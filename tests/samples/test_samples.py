"""Samples hold what they promise: the same each time, and true to the truth they tell."""

from __future__ import annotations

import hashlib
import socket
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import binary_erosion, map_coordinates

from napari_framewise.plugin.samples import open_sample
from napari_framewise.samples import SAMPLES, SampleData
from napari_framewise.samples.camera import Camera
from napari_framewise.tools.calls import run

MIXTURES = ("two_references", "three_references", "sensor", "photographs", "pages", "faces")
SHAPES = {
    "two_references": (2000, 64, 64),
    "three_references": (1500, 64, 64),
    "sensor": (96_108, 7, 7),
    "bands": (16, 96, 96),
    "photographs": (500, 128, 128),
    "pages": (500, 15, 10),
    "faces": (2000, 25, 25),
}


@pytest.fixture(scope="module")
def made() -> dict[str, SampleData]:
    return {}


@pytest.fixture(params=SHAPES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sample(made: dict[str, SampleData], name: str) -> SampleData:
    if name not in made:
        made[name] = SAMPLES[name].make()
    return made[name]


def part(sample: SampleData, role: str) -> Any:
    return dict(sample.stacks)[role]


def test_each_is_known_by_its_title() -> None:
    assert all(each.title and each.sentence.endswith(".") for each in SAMPLES.values())
    assert len({each.title for each in SAMPLES.values()}) == len(SAMPLES)


def test_the_stack_is_as_the_sentence_says(name: str, sample: SampleData) -> None:
    stack = part(sample, "stack")
    assert stack.shape == SHAPES[name]
    assert stack.dtype == np.uint16
    frames, height, width = stack.shape
    for said in (f"{frames:,}", f"{height} x {width}"):
        assert said in SAMPLES[name].sentence
    assert len({name for name, _ in sample.stacks}) == len(sample.stacks)
    unit = "pixel" if name == "bands" else "micrometer"
    assert all(axis.unit == unit for axis in stack.axes[1:])


def test_nothing_is_saturated_or_cut_at_zero(sample: SampleData) -> None:
    frames = part(sample, "stack").read(0, 2000)
    assert frames.min() > 0
    assert frames.max() < 65535


def test_the_truth_is_in_the_metadata(name: str, sample: SampleData) -> None:
    assert sample.metadata["sample"] == SAMPLES[name].title
    assert sample.metadata["source"]
    assert set(sample.metadata["truth"]) == set(sample.truth)
    assert {"gain", "offset", "read_noise"} < set(sample.truth)


@pytest.mark.parametrize("name", MIXTURES)
def test_frames_are_mixtures_with_the_noise_of_the_camera(name: str, sample: SampleData) -> None:
    shares = sample.truth["coefficients"]
    images = np.stack(
        [stack.frame(0) for role, stack in sample.stacks if role.startswith("reference")]
    ).astype(float)
    stack = part(sample, "stack")
    assert shares.shape == (stack.n_frames, len(images))
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-12)
    if len(images) == 2:
        assert (shares[:, 0].min(), shares[:, 0].max()) == (0.4, 0.7)
    count = min(stack.n_frames, 3000)
    mean = np.tensordot(shares[:count], images, 1)
    camera = Camera(*(sample.truth[each] for each in ("gain", "offset", "read_noise")))
    # Variance in counts: gain times the signal above the offset, read noise, and rounding.
    variance = camera.gain * (mean - camera.offset) + camera.read_noise**2 + 1 / 12
    pull = (stack.read(0, count) - mean) / np.sqrt(variance)
    assert abs(pull.mean()) < 5 / np.sqrt(pull.size)
    assert pull.var() == pytest.approx(1, abs=8 / np.sqrt(pull.size))


@pytest.mark.parametrize("name", ["three_references"])
def test_a_part_is_missing_now_and_then(sample: SampleData) -> None:
    assert (sample.truth["coefficients"] == 0).any(0).tolist() == [True, False, True]


@pytest.mark.parametrize("name", ["bands"])
def test_bands_are_sums_of_the_spectra(sample: SampleData) -> None:
    spectra, maps = part(sample, "spectra").frame(0), part(sample, "abundance").read(0, 4)
    assert spectra.shape == (4, 16)
    np.testing.assert_allclose(spectra.sum(1), 1)
    assert np.ptp(spectra[3]) == 0
    mean = np.tensordot(spectra.T, maps.astype(float), 1)
    cube = part(sample, "stack").read(0, 16)
    variance = sample.truth["gain"] * mean + sample.truth["read_noise"] ** 2 + 1 / 12
    pull = (cube - mean) / np.sqrt(variance)
    assert abs(pull.mean()) < 5 / np.sqrt(pull.size)
    assert pull.var() == pytest.approx(1, abs=8 / np.sqrt(pull.size))
    fitted = np.linalg.lstsq(spectra.T, cube.reshape(16, -1).astype(float), rcond=None)[0]
    assert np.corrcoef(fitted.ravel(), maps.ravel())[0, 1] > 0.95


def test_the_second_frame_shows_what_moved_by_the_known_flow() -> None:
    made = SAMPLES["known_flow"].make()
    first, second = (part(made, role).frame(0).astype(float) for role in ("stack", "second"))
    flow, seen = made.truth["displacement"], made.truth["seen"]
    at = np.indices(seen.shape) + flow
    pulled = np.stack([map_coordinates(second[..., c], at, order=3) for c in range(3)], axis=-1)
    inside = seen & binary_erosion(seen, iterations=3)
    left = np.abs(pulled - first).mean(axis=-1)[inside]
    assert np.median(left) < 2.5
    assert np.median(np.abs(second - first).mean(axis=-1)[inside]) > 4 * np.median(left)


def test_the_cells_bleach_with_the_known_half_life() -> None:
    made = SAMPLES["bleaching_cells"].make()
    stack = part(made, "stack")
    above = stack.read(0, stack.n_frames).mean(axis=(1, 2)) - made.truth["offset"]
    seconds = stack.axes[0].scale * np.arange(len(above))
    falls = np.exp2(-seconds / made.truth["half_life"])
    calm = np.ones(len(above), bool)
    calm[slice(*made.truth["flash"])] = False
    level, drop = np.linalg.lstsq(
        np.stack([np.ones(calm.sum()), falls[calm]], 1), above[calm], rcond=None
    )[0]
    assert level / (level + drop) == pytest.approx(made.truth["remains"], rel=0.01)
    left = above - level - drop * falls
    assert left[calm].std() < 0.2 < left[~calm].min()


def test_the_volume_drifts_by_its_matrices() -> None:
    made = SAMPLES["drifting_volume"].make()
    stack, matrices = part(made, "stack"), made.truth["matrices"]
    first, last = stack.read(0, 1)[0].astype(float), stack.read(9, 10)[0].astype(float)
    places = np.moveaxis(np.indices(first.shape), 0, -1)
    at = np.moveaxis(places @ matrices[9, :3, :3].T + matrices[9, :3, 3], -1, 0)
    pulled = map_coordinates(last, at, order=3, cval=np.nan)
    known = np.isfinite(pulled)
    # Noise of both, less what interpolation takes away.
    assert (pulled - first)[known].std() < 9
    assert (last - first).std() > 14
    voxel = np.array([0.5, 0.2, 0.2])
    turn = voxel[:, None] * matrices[9, :3, :3] / voxel
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)


def test_the_bent_tissue_lies_where_its_truth_says() -> None:
    made = SAMPLES["bent_tissue"].make()
    reference, image = (part(made, role).frame(0).astype(float) for role in ("reference", "stack"))
    at = np.indices(reference.shape) + made.truth["displacement"]
    pulled = (map_coordinates(image, at, order=3) - 30) / 0.8
    inner = (slice(16, -16), slice(16, -16))
    left = np.sqrt(np.mean((pulled - reference)[inner] ** 2))
    assert left < 5
    assert np.sqrt(np.mean(((image - 30) / 0.8 - reference)[inner] ** 2)) > 4 * left
    places = made.truth["reference_points"].astype(int)
    there = at[:, places[:, 0], places[:, 1]].T
    np.testing.assert_allclose(made.truth["image_points"], there, atol=1e-5)


@pytest.mark.parametrize("name", ["two_references", "sensor", "bands", "pages"])
def test_each_is_the_same_every_time(name: str, sample: SampleData) -> None:
    again = SAMPLES[name].make()

    def digest(made: SampleData) -> list[str]:
        frames = (stack.read(0, stack.n_frames) for _, stack in made.stacks)
        return [hashlib.sha256(each.tobytes()).hexdigest() for each in frames]

    assert digest(again) == digest(sample)


@pytest.mark.parametrize("name", ["photographs", "pages", "faces"])
def test_real_pictures_need_no_network(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a sample asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert part(SAMPLES[name].make(), "stack").n_frames


@pytest.mark.parametrize(("name", "shape"), [("pages", (2, 15, 10)), ("faces", (200, 25, 25))])
def test_real_stacks_are_there_as_they_are(sample: SampleData, shape: tuple[int, ...]) -> None:
    stack = part(sample, "as it is")
    assert stack.shape == shape
    assert np.isfinite(stack.read(0, 2)).all()


def test_a_camera_without_light_shows_its_offset() -> None:
    camera = Camera(gain=3.0, offset=500.0, read_noise=7.0)
    dark = camera.frames(np.zeros((400, 20, 20)), np.random.default_rng(0)).astype(float)
    assert dark.mean() == pytest.approx(500, abs=0.2)
    assert dark.std() == pytest.approx(7.0, abs=0.1)
    bright = camera.frames(np.full((40, 20, 20), 1e6), np.random.default_rng(0))
    assert bright.min() == bright.max() == 65535


def test_the_index_image_is_its_truth_with_noise_and_gaps() -> None:
    made = SAMPLES["index_image"].make()
    stack, truth = part(made, "stack"), made.truth
    frames = stack.read(0, stack.n_frames)
    assert frames.shape == truth["index"].shape == (6, 256, 256)
    assert np.nanmin(frames) >= -50
    assert np.nanmax(frames) <= 1
    gaps = np.isnan(frames).mean(axis=(1, 2))
    assert (gaps > 0.2).all()
    assert (gaps < 0.4).all()
    error = (frames - truth["index"])[np.abs(truth["index"] + 25) < 15]
    assert np.nanstd(error) == pytest.approx(truth["noise"], rel=0.02)
    assert np.isfinite(truth["index"]).all()


def test_the_zone_plate_has_the_frequencies_that_it_tells() -> None:
    sample = SAMPLES["zone_plate"].make()
    image = np.asarray(part(sample, "stack").frame(0), float)
    frequency = sample.truth["frequency"]
    # Along the row next to the centre the phase grows by 2 pi times the frequency per pixel.
    row, start = 255, 256
    steps = (frequency[row, start:-1] + frequency[row, start + 1 :]) / 2
    phase = 2 * np.pi * np.concatenate([[0.0], np.cumsum(steps)])
    wanted = sample.truth["mean"] + sample.truth["amplitude"] * np.cos(phase)
    np.testing.assert_allclose(image[row, start:], wanted, atol=3)
    assert frequency.max() == pytest.approx(0.5 * np.sqrt(2), rel=0.01)


def test_the_hole_is_3_per_cent_of_the_photograph_and_nothing_else_differs() -> None:
    sample = SAMPLES["holed_photograph"].make()
    parts = dict(sample.stacks)
    hole = parts["hole"].frame(0) != 0
    assert hole.mean() == pytest.approx(0.03, abs=1e-5)
    assert parts["hole"].legend is not None
    truth = sample.truth["image"]
    np.testing.assert_array_equal(parts["stack"].frame(0)[~hole], truth[~hole])
    assert (parts["stack"].frame(0)[hole] == 255).all()


def test_the_photograph_out_of_focus_is_opened_whole() -> None:
    layers = open_sample("out_of_focus")
    # The view is made to fit the first layer.
    assert layers[0][0].shape == layers[-1][0].shape == (256, 256)


def test_the_led_gives_the_photograph_back() -> None:
    made = SAMPLES["out_of_focus"].make()
    seen, led = part(made, "stack"), part(made, "led")
    model = run("psf", stack=led, radius="10px").model()
    found = run("deconvolution", stack=seen, psf_model=model)
    image = np.asarray(found.layers[0].data, np.float64)
    scene = made.truth["scene"]
    before = np.sqrt(np.mean((seen.frame(0) - scene) ** 2))
    assert np.sqrt(np.mean((image - scene) ** 2)) < 0.6 * before
    row = found.table("deconvolution").row(0)
    assert row["noise"] == pytest.approx(made.truth["noise"], rel=0.1)
