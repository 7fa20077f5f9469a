"""Noise of images: its standard deviation from one image, and how its pixels hang together."""

from __future__ import annotations

from napari_framewise.numerics.noise.correlation import autocorrelation, variance_factor
from napari_framewise.numerics.noise.white import sigma_of_image

__all__ = ["autocorrelation", "sigma_of_image", "variance_factor"]
