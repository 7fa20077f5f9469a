"""The first pass over a whole stack: moments of every image, digits for percentiles, products."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_framewise.engine import Engine
from napari_framewise.engine.images import run_images
from napari_framewise.engine.passes import run_pass
from napari_framewise.engine.progress import Progress
from napari_framewise.engine.work import Cost, Reduce
from napari_framewise.framework.masks import Measured, used_pixels
from napari_framewise.framework.regions import Region
from napari_framewise.numerics import statistics as numerics
from napari_framewise.stacks.ragged import RaggedStack
from napari_framewise.stacks.source import Array

_SECONDS_PER_PIXEL = 1e-9
# Decoding a PNG or JPEG file.
_SECONDS_PER_READ = 5e-9


@dataclass(frozen=True, eq=False)
class Quantities:
    """Which quantities a pass sums and counts.

    Attributes
    ----------
    channel_axis : int, optional
        Axis of a block with channels that are measured apart.
    fixed : ndarray, optional
        Pixels to use in all frames.
    moments, cross : bool
        Whether moments, and products of channels, are summed.
    ranks : Ranks, optional
        Percentiles whose digits are counted.
    edges : ndarray, optional
        Edges (bins + 1) of a histogram.
    regions : tuple of Region
        Parts of the frames whose moments are summed by themselves as well.
    """

    channel_axis: int | None
    fixed: Array | None
    moments: bool = True
    cross: bool = False
    ranks: numerics.Ranks | None = None
    edges: Array | None = None
    regions: tuple[Region, ...] = ()


@dataclass(eq=False)
class Tally:
    """Sums and counts of a pass; parts are added in the order of the frames."""

    moments: list[numerics.Moments]
    cross: list[numerics.CrossMoments]
    regions: list[tuple[numerics.Moments, ...]]
    digits: Array | None = None
    bins: Array | None = None

    def add(self, other: Tally) -> Tally:
        """The same with what the frames behind it gave."""
        self.moments += other.moments
        self.cross += other.cross
        self.regions += other.regions
        for mine, theirs in ((self.digits, other.digits), (self.bins, other.bins)):
            if mine is not None:
                mine += theirs
        return self


def tally_block(frames: Array, masks: Array | None, quantities: Quantities) -> Tally:
    """The sums and counts of a block of frames."""
    axis = quantities.channel_axis
    use = used_pixels(frames, masks, quantities.fixed, axis)
    found = Tally([], [], [])
    if quantities.moments:
        found.moments.append(numerics.moments(frames, channel_axis=axis, mask=use))
        found.regions.append(
            tuple(
                region_moments(frames, masks, quantities.fixed, axis, region)
                for region in quantities.regions
            )
        )
    if quantities.cross and axis is not None:
        found.cross.append(numerics.cross_moments(frames, channel_axis=axis, mask=use))
    if quantities.ranks is not None:
        found.digits = numerics.count_ranks(frames, quantities.ranks, channel_axis=axis, mask=use)
    if quantities.edges is not None:
        found.bins = numerics.histogram(frames, quantities.edges, channel_axis=axis, mask=use)
    return found


def region_moments(
    frames: Array, masks: Array | None, fixed: Array | None, axis: int | None, region: Region
) -> numerics.Moments:
    """Moments of a block of frames within a region, of the pixels that a mask leaves."""
    inside = region.inside if fixed is None else region.inside & fixed[region.box]
    part = region.part(frames)
    use = used_pixels(part, None if masks is None else region.part(masks), inside, axis)
    return numerics.moments(part, channel_axis=axis, mask=use)


@dataclass(frozen=True, eq=False)
class WholeStack:
    """What is known of a whole stack.

    Attributes
    ----------
    moments : Moments
        Of every image.
    percentiles : ndarray, optional
        (percentiles, C).
    cross : CrossMoments, optional
        Products of channels of every image.
    edges, bins : ndarray, optional
        Histogram of each channel: edges (bins + 1) and counts (C, bins).
    regions : tuple of Moments
        Of every image, region by region.
    """

    moments: numerics.Moments
    percentiles: Array | None = None
    cross: numerics.CrossMoments | None = None
    edges: Array | None = None
    bins: Array | None = None
    regions: tuple[numerics.Moments, ...] = ()


def tally_stack(
    given: Measured,
    engine: Engine,
    *,
    percentiles: tuple[float, ...] = (),
    cross: bool = False,
    bins: int = 0,
    regions: tuple[Region, ...] = (),
) -> Generator[Progress, None, WholeStack]:
    """Measure a whole stack, in as many passes as its type and the percentiles take."""
    stack = given.stack
    cost = tally_cost(given)

    def one_pass(quantities: Quantities, label: str) -> Generator[Progress, None, Tally]:
        return run_pass(
            Reduce(),
            tally_block,
            given.stacks,
            (quantities,),
            engine=engine,
            cost=cost,
            label=label,
            merge=Tally.add,
        )

    first = Quantities(given.channel_axis, given.fixed, cross=cross, regions=regions)
    return (yield from tally(one_pass, first, stack.dtype, percentiles, bins))


def tally_images(
    images: RaggedStack,
    channel_axis: int | None,
    engine: Engine,
    *,
    percentiles: tuple[float, ...] = (),
    cross: bool = False,
    bins: int = 0,
) -> Generator[Progress, None, WholeStack]:
    """Measure images of different sizes, read one at a time."""

    def one_pass(quantities: Quantities, label: str) -> Generator[Progress, None, Tally]:
        return run_images(
            Reduce(),
            tally_block,
            images,
            (None, quantities),
            engine=engine,
            cost=images_cost(images),
            label=label,
            merge=Tally.add,
        )

    first = Quantities(channel_axis, None, cross=cross)
    return (yield from tally(one_pass, first, images.dtype, percentiles, bins))


def images_cost(images: RaggedStack) -> Cost:
    """What an image takes to be read and measured."""
    pixels = images.n_pixels // max(1, images.n_frames)
    elements = pixels * (images.shapes[0][2] if images.rgb else 1)
    scratch = 2 * elements * images.dtype.itemsize
    return Cost(scratch=scratch, seconds=1e-4 + _SECONDS_PER_READ * elements)


def tally(
    one_pass: Callable[[Quantities, str], Generator[Progress, None, Tally]],
    first: Quantities,
    dtype: np.dtype[Any],
    percentiles: tuple[float, ...],
    bins: int,
) -> Generator[Progress, None, WholeStack]:
    """Measure images by passes that `one_pass(quantities, label)` runs over all of them."""
    narrow = dtype.kind in "bui" and dtype.itemsize <= 2
    begun = None
    if percentiles or (bins and narrow):
        begun = numerics.find_percentiles(percentiles, dtype)
    found = yield from one_pass(replace(first, ranks=begun), "Measuring")
    moments = numerics.join_moments(found.moments)
    edges = counts = None
    if bins and narrow:
        assert found.digits is not None
        edges, counts = _grouped(found.digits[:, 0], dtype, bins)
    elif bins:
        edges = _edges(moments, bins)
    search: numerics.Ranks | Array | None = None
    if begun is not None:
        assert found.digits is not None
        search = numerics.narrow(begun, found.digits)
    while isinstance(search, numerics.Ranks) or (edges is not None and counts is None):
        ranks = search if isinstance(search, numerics.Ranks) else None
        missing = edges if counts is None else None
        quantities = replace(first, moments=False, cross=False, ranks=ranks, edges=missing)
        later = yield from one_pass(
            quantities, "Narrowing percentiles down" if ranks else "Counting"
        )
        counts = later.bins if counts is None else counts
        if ranks is not None:
            assert later.digits is not None
            search = numerics.narrow(ranks, later.digits)
    cross = numerics.join_cross_moments(found.cross) if found.cross else None
    values = search if isinstance(search, np.ndarray) and percentiles else None
    apart = tuple(map(numerics.join_moments, zip(*found.regions, strict=True)))
    return WholeStack(moments, values, cross, edges, counts, apart)


def tally_cost(given: Measured) -> Cost:
    """What a frame takes."""
    stack = given.stack
    pixels = int(np.prod(stack.frame_shape))
    channels = max(1, len(given.names))
    return Cost(output=96 * channels, scratch=pixels, seconds=1e-6 + _SECONDS_PER_PIXEL * pixels)


def _grouped(counts: Array, dtype: np.dtype[Any], most: int) -> tuple[Array, Array]:
    """Counts of every integer as bins of one whole width, between the least and the greatest."""
    present = np.flatnonzero(counts.any(axis=0))
    low, high = (int(present[0]), int(present[-1])) if len(present) else (0, 0)
    width = -(-(high - low + 1) // most)
    starts = low + width * np.arange((high - low) // width + 2)
    sums = np.pad(np.cumsum(counts, axis=1), ((0, 0), (1, 0)))
    grouped = np.diff(sums[:, np.minimum(starts, counts.shape[1])], axis=1)
    # An integer is the middle of its bin.
    edges = numerics.values_of_bins(dtype)[0] + starts - 0.5
    return edges, grouped


def _edges(moments: numerics.Moments, bins: int) -> Array:
    """Edges between the least and greatest value of all channels."""
    known = moments.count > 0
    if not known.any():
        return np.linspace(0, 1, bins + 1)
    return np.linspace(moments.minimum[known].min(), moments.maximum[known].max(), bins + 1)
