"""PSF: what a point of light becomes, measured or by formula."""

from __future__ import annotations

from napari_framewise.tools.psf.model import PSF

__all__ = ["PSF"]
