"""A photograph out of focus, with the image of a lamp that was as far away."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage import data

from napari_framewise.numerics.psf import disc_psf
from napari_framewise.samples.mixtures import SEED, described
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.stack import Stack, stack_of

_RADIUS, _NOISE = 5.0, 4.0
_DARK, _GAIN = 100.0, 12.0
_PART = (slice(60, 316), slice(120, 376))


def out_of_focus() -> SampleData:
    """A photograph of 256 x 256, blurred by a disc of radius 5, and an LED under the same blur.

    The truth holds `scene`, the photograph without blur and noise in the same counts, `radius` of
    the disc in pixels and `noise`, the standard deviation of what was added, in counts.
    """
    rng = np.random.default_rng(SEED + 11)
    whole = _DARK + _GAIN * data.camera().astype(np.float64)
    kernel = disc_psf((_RADIUS, _RADIUS))
    blurred = ndimage.convolve(whole, kernel, mode="reflect")[_PART]
    photograph = np.rint(blurred + rng.normal(0, _NOISE, blurred.shape)).astype(np.uint16)
    lamp = np.zeros((96, 96))
    lamp[46, 51] = 240_000.0
    led = _DARK + ndimage.convolve(lamp, kernel)
    led = np.rint(led + rng.normal(0, _NOISE, led.shape)).astype(np.uint16)
    title = "Photograph out of focus"
    truth = {"scene": whole[_PART], "radius": _RADIUS, "noise": _NOISE}
    source = "scikit-image's cameraman (CC0), blurred and with noise added; the LED is simulated."
    stacks: tuple[tuple[str, Stack], ...] = (
        ("stack", stack_of(photograph, axes=("y", "x"), name=title)),
        (
            "truth",
            stack_of(whole[_PART].astype(np.float32), axes=("y", "x"), name=f"{title}, truth"),
        ),
        # Behind the truth: the view is made to fit the first layer, and this one is small.
        ("led", stack_of(led, axes=("y", "x"), name=f"{title}, LED")),
    )
    return SampleData(stacks, truth, described(title, source, truth))
