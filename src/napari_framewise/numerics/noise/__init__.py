"""Noise of images: its standard deviation from one image, and how its pixels hang together."""

from __future__ import annotations

from napari_framewise.numerics.noise.blind import PLAIN, WHITE, BlindSigma, blind_sigma
from napari_framewise.numerics.noise.brightness import NoiseGrowth, noise_growth
from napari_framewise.numerics.noise.correlation import autocorrelation, variance_factor
from napari_framewise.numerics.noise.transfer import Repeats, Transfer, photon_transfer
from napari_framewise.numerics.noise.white import sigma_of_image

__all__ = [
    "PLAIN",
    "WHITE",
    "BlindSigma",
    "NoiseGrowth",
    "Repeats",
    "Transfer",
    "autocorrelation",
    "blind_sigma",
    "noise_growth",
    "photon_transfer",
    "sigma_of_image",
    "variance_factor",
]
