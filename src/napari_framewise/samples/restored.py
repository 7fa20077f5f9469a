"""A photograph, the same with noise, and restorations of it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage import data
from skimage.restoration import denoise_nl_means

from napari_framewise.samples.mixtures import SEED, described
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of

_COUNT, _SIGMA = 3, 15.0


def clean_noisy_restored() -> SampleData:
    """3 images of 256 x 256 with white noise of 15, two restorations of each, and their truth.

    The truth holds `clean` (256, 256) and `sigma`.
    """
    rng = np.random.default_rng(SEED + 11)
    clean = data.camera()[128:384, 96:352].astype(np.float64)
    noisy = np.rint((clean + rng.normal(0, _SIGMA, (_COUNT, *clean.shape))).clip(0, 255))
    smooth = ndimage.gaussian_filter(noisy, (0, 1.2, 1.2))
    means = np.stack(
        [denoise_nl_means(each, 5, 7, 0.8 * _SIGMA, sigma=_SIGMA, fast_mode=True) for each in noisy]
    )
    title = "Clean, noisy and restored"
    truth = {"clean": clean, "sigma": _SIGMA}
    stacks = (
        ("stack", _placed(noisy, "noisy")),
        ("smoothed", _placed(smooth, "smoothed")),
        ("non-local means", _placed(means, "non-local means")),
        ("truth", _placed(clean, "clean")),
    )
    source = "camera, ships with scikit-image, with white noise"
    return SampleData(stacks, truth, described(title, source, truth))


def _placed(frames: Array, name: str) -> Stack:
    pixels = np.rint(frames.clip(0, 255)).astype(np.uint8)
    return stack_of(pixels, axes=("t", "y", "x")[-pixels.ndim :], name=name)
