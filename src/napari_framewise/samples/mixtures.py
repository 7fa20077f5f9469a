"""Stacks in which every frame is a mixture of known images."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_framewise.samples import scenes
from napari_framewise.samples.camera import Camera
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of

SEED = 20240501
SIMULATED = f"simulated, seed {SEED}"
_MICROMETRES = 0.1083
_SECONDS = 0.05
_SENSOR_FRAMES = 96_108
_BLOCK_PIXELS = 2**20


def two_references() -> SampleData:
    """2,000 frames of 64 x 64, x of them image 1 and 1 - x image 2, with x from 0.4 to 0.7."""
    rng = np.random.default_rng(SEED)
    images = np.stack(
        [
            30 + 260 * scenes.nuclei(64, 6, rng) + 40 * scenes.filaments(64, 3, rng),
            40 + 220 * scenes.filaments(64, 9, rng) + 80 * scenes.vesicles(64, 40, rng),
        ]
    )
    share = wandering(2000, 0.4, 0.7, rng)
    return mixture("Mixture of two images", images, np.stack([share, 1 - share], 1), Camera(), rng)


def three_references() -> SampleData:
    """1,500 frames of 64 x 64, mixed from three images with shares that sum to one."""
    rng = np.random.default_rng(SEED + 1)
    images = np.stack(
        [
            30 + 280 * scenes.nuclei(64, 7, rng),
            30 + 260 * scenes.filaments(64, 10, rng),
            30 + 280 * scenes.vesicles(64, 60, rng),
        ]
    )
    weights = np.stack([wandering(1500, 0.05, 1.0, rng) for _ in range(3)], 1)
    # Now and then one of them is not there at all.
    weights[400:520, 2] = 0
    weights[900:1000, 0] = 0
    shares = weights / weights.sum(1, keepdims=True)
    return mixture("Mixture of three images", images, shares, Camera(), rng)


def sensor() -> SampleData:
    """96,108 frames of 7 x 7 from a small sensor, mixed from two patterns of spots."""
    rng = np.random.default_rng(SEED + 2)
    y, x = np.mgrid[:7, :7]
    spot = np.exp(-((x - 2.2) ** 2 + (y - 2.4) ** 2) / 3.0)
    ring = np.exp(-((np.hypot(x - 3.6, y - 3.8) - 2.2) ** 2) / 1.2)
    images = np.stack([300 + 5000 * spot, 300 + 4200 * ring])
    share = wandering(_SENSOR_FRAMES, 0.4, 0.7, rng)
    camera = Camera(gain=1.5, offset=200.0, read_noise=6.0)
    return mixture(
        "Sensor of 7 x 7 pixels",
        images,
        np.stack([share, 1 - share], 1),
        camera,
        rng,
        seconds=1e-3,
    )


def mixture(
    title: str,
    images: npt.NDArray[np.float64],
    shares: npt.NDArray[np.float64],
    camera: Camera,
    rng: np.random.Generator,
    *,
    seconds: float = _SECONDS,
    source: str = SIMULATED,
) -> SampleData:
    """Frames of mixed images as a camera sees them, with the images without noise.

    Parameters
    ----------
    title : str
        Name of the stack.
    images : ndarray, (K, y, x)
        Expected electrons of each image alone.
    shares : ndarray, (n, K)
        Coefficients of each frame; each row sums to one.
    camera : Camera
        What makes counts of electrons.
    rng : Generator
        Source of the noise.
    seconds : float
        Time from frame to frame.
    source : str
        Where the images come from.
    """
    count, (_, height, width) = len(shares), images.shape
    frames = np.empty((count, height, width), np.uint16)
    size = max(1, _BLOCK_PIXELS // (height * width))
    parts = [slice(start, start + size) for start in range(0, count, size)]

    def expose(part: slice, noise: np.random.Generator) -> None:
        frames[part] = camera.frames(np.tensordot(shares[part], images, 1), noise)

    # A generator per block: the same noise on any number of threads.
    with ThreadPoolExecutor() as pool:
        list(pool.map(expose, parts, rng.spawn(len(parts))))
    truth = {"coefficients": shares, **camera.truth()}
    stack = imaged(frames, title, seconds)
    named = [
        (f"reference {number}", imaged(image, f"Image {number}"))
        for number, image in enumerate(camera.mean(images).astype(np.float32), start=1)
    ]
    return SampleData((("stack", stack), *named), truth, described(title, source, truth))


def imaged(data: Array, name: str, seconds: float = _SECONDS) -> Stack:
    """A stack (t, y, x) or image (y, x) with the sample's pixel size and time step."""
    leading = data.ndim - 2
    return stack_of(
        data,
        axes=("t", "y", "x")[-data.ndim :],
        scale=(*(seconds,) * leading, _MICROMETRES, _MICROMETRES),
        units=(*("second",) * leading, "micrometer", "micrometer"),
        name=name,
    )


def described(title: str, source: str, truth: Mapping[str, Any]) -> dict[str, Any]:
    """A layer's metadata: where it comes from, and the truth."""
    return {"sample": title, "source": source, "truth": dict(truth)}


def wandering(
    count: int, low: float, high: float, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """A smooth course between two bounds: waves of different length, then scaled to fill them."""
    time = np.linspace(0, 1, count)
    waves = sum(
        rng.uniform(0.5, 1.0) / rate * np.sin(2 * np.pi * (rate * time + rng.uniform()))
        for rate in (1, 2.3, 5.1, 11.7)
    )
    course = np.asarray(waves) + rng.normal(0, 0.02, count)
    return low + (high - low) * (course - course.min()) / np.ptp(course)
