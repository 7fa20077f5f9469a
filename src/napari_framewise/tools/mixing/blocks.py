"""What is computed for a block of frames of a mixture; importable by a cluster's workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_framewise.framework.masks import selected
from napari_framewise.framework.regions import Region
from napari_framewise.numerics import mixing as numerics
from napari_framewise.stacks.source import Array


@dataclass(frozen=True, eq=False)
class RegionDesign:
    """A region, and what its pixels of every frame are fitted to."""

    region: Region
    design: numerics.Design


Regions = tuple[RegionDesign, ...]
Fits = tuple[numerics.MixingFit, ...]


def fit_block(
    frames: Array, mask: Array | None, design: numerics.Design, regions: Regions = ()
) -> Fits:
    """Fit a block of frames, with a mask of the same frames where there is one, and its regions."""
    return fits_of(usable(frames, mask), design, regions)


def fits_of(frames: Array, design: numerics.Design, regions: Regions) -> Fits:
    """Fits of whole frames, and of each region's part of them."""
    apart = (numerics.fit(each.region.part(frames), each.design) for each in regions)
    return numerics.fit(frames, design), *apart


def joined(blocks: list[Fits]) -> Fits:
    """Fits of consecutive blocks as one of each."""
    return tuple(map(numerics.concatenate, zip(*blocks, strict=True)))


def fitted_block(frames: Array, mask: Array | None, design: numerics.Design, *, out: Array) -> None:
    """Fitted frames of a block."""
    fits = numerics.fit(usable(frames, mask), design)
    out[...] = numerics.predict(design, fits, dtype=out.dtype)


def residual_block(
    frames: Array, mask: Array | None, design: numerics.Design, *, out: Array
) -> None:
    """Frames of a block minus their fit."""
    fits = numerics.fit(usable(frames, mask), design)
    out[...] = numerics.residual(frames, design, fits)


@dataclass
class FitsAndResiduals:
    """Fits of consecutive blocks, and the sum of what they leave."""

    fits: list[Fits]
    total: numerics.ResidualTotal

    def merge(self, other: FitsAndResiduals) -> FitsAndResiduals:
        """Take in what follows."""
        self.fits += other.fits
        self.total = self.total.merge(other.total)
        return self


def fit_and_sum(
    frames: Array, mask: Array | None, design: numerics.Design, regions: Regions = ()
) -> FitsAndResiduals:
    """Fit a block of frames and its regions, and sum the frames' residuals, pixel by pixel."""
    frames = usable(frames, mask)
    fits = fits_of(frames, design, regions)
    return FitsAndResiduals([fits], numerics.residual_total(frames, design, fits[0]))


def replicate_statistics(frames: Array) -> numerics.ReplicateMean:
    """Mean and scatter of a block of replicate frames, pixel by pixel."""
    return numerics.ReplicateMean.of(frames)


def usable(frames: Array, mask: Array | None = None) -> Array:
    """Frames, with NaN where a mask of the same frames leaves a pixel out."""
    if mask is None:
        return frames
    dtype = np.result_type(frames.dtype, np.float32)
    return np.where(selected(mask), frames, dtype.type(np.nan))


def result_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Type of fitted and residual frames: float32 for up to 16 bits and float32, else float64."""
    narrow = dtype.itemsize <= 2 or dtype == np.float32
    return np.dtype(np.float32 if narrow else np.float64)
