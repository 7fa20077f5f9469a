"""An image of many bands, each pixel a sum of known spectra."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_framewise.samples import scenes
from napari_framewise.samples.camera import Camera
from napari_framewise.samples.mixtures import SEED, SIMULATED, described
from napari_framewise.samples.sample import SampleData
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack, stack_of

_SIZE = 96
_NANOMETRES = np.linspace(500, 650, 16)


def bands() -> SampleData:
    """16 bands of 96 x 96: three dyes that overlap, and a flat background light.

    Each pixel is `sum_k abundance_k * spectrum_k`, with spectra that sum to one over the bands, in
    electrons; the camera has no offset, so the background stays above zero.
    """
    rng = np.random.default_rng(SEED + 3)
    spectra = np.stack([_dye(peak) for peak in (522, 551, 588)] + [np.full(16, 1 / 16)])
    abundance = np.stack(
        [
            4000 * scenes.nuclei(_SIZE, 9, rng),
            3500 * scenes.filaments(_SIZE, 12, rng),
            4500 * scenes.vesicles(_SIZE, 90, rng),
            600 + 300 * scenes.nuclei(_SIZE, 3, rng),
        ]
    )
    camera = Camera(gain=2.0, offset=0.0, read_noise=3.0)
    cube = camera.frames(np.tensordot(spectra.T, abundance, 1), rng)
    truth = {"abundance": camera.gain * abundance, "spectra": spectra, **camera.truth()}
    title = "16 bands, three dyes"
    spectral_image = stack_of(spectra, axes=("spectrum", "wavelength"), name=f"{title}, spectra")
    true_maps = truth["abundance"].astype(np.float32)
    stacks = (
        ("stack", _placed(cube, "band", title)),
        ("spectra", spectral_image),
        ("abundance", _placed(true_maps, "spectrum", f"{title}, true abundance")),
    )
    return SampleData(stacks, truth, described(title, SIMULATED, truth))


def _placed(data: Array, leading: str, name: str) -> Stack:
    # napari scales by no unit where layers differ in theirs, and a spectrum has no micrometres.
    return stack_of(data, axes=(leading, "y", "x"), name=name)


def _dye(peak: float) -> npt.NDArray[np.float64]:
    """An emission spectrum: steep towards blue, with a tail towards red."""
    away = _NANOMETRES - peak
    spectrum = np.where(away < 0, np.exp(-((away / 14) ** 2)), np.exp(-(((away / 34) ** 2) ** 0.8)))
    spectrum += 0.25 * np.exp(-(((away - 45) / 25) ** 2))
    return np.asarray(spectrum / spectrum.sum())
