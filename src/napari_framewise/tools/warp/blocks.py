"""What is computed for a block of frames of a warp; importable by a cluster's workers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from napari_framewise.framework.framemap.blocks import fitted
from napari_framewise.framework.masks import selected
from napari_framewise.framework.transform import Transform
from napari_framewise.numerics.common.blocks import working_type
from napari_framewise.numerics.warp import (
    BandLimited,
    Footprints,
    Kernel,
    cap_of,
    coded_light,
    footprints,
    fourier_warped,
    linear_light,
    prepared,
    samples_of,
    volume_labels,
    volume_mean,
    warped,
    warped_labels,
)
from napari_framewise.stacks.source import Array

_AT_ONCE = 2**17
"""Pixels of a result whose footprints are held at a time."""


@dataclass(frozen=True, eq=False)
class Warping:
    """All that a worker needs to know.

    Attributes
    ----------
    transform : Transform
        From the pixels of the result to those of the frames; its maps come beside it.
    shape : tuple of int
        Of a frame of the result, without channels.
    kernel : Kernel or "fourier"
        Weights over a footprint, or a cut of the spectrum.
    white : float
        Code of white where light is averaged; 0 where codes are.
    channels : int
        Along the last axis of a frame; 0 for none.
    opacity : bool
        Whether the last channel is one, which has no light.
    """

    transform: Transform
    shape: tuple[int, ...]
    kernel: Kernel | Literal["fourier"]
    white: float = 0.0
    channels: int = 0
    opacity: bool = False


def image_block(
    frames: Array, maps: Array, masks: Array | None, warping: Warping, out: Array
) -> None:
    """Frames on the pixels of the result, (n, *shape, channels)."""
    here = warping.transform.with_maps(maps)
    for number, frame in enumerate(frames):
        planes = np.moveaxis(frame, -1, 0) if warping.channels else frame[np.newaxis]
        valid = None if masks is None else selected(masks[min(number, len(masks) - 1)])
        moved = _warped(planes, valid, here, number, warping)
        made = np.moveaxis(moved, 0, -1) if warping.channels else moved[0]
        out[number] = fitted(made, out.dtype)


def labels_block(labels: Array, maps: Array, warping: Warping, out: Array) -> None:
    """Labels on the pixels of the result, each by the majority of its area."""
    here = warping.transform.with_maps(maps)
    for number, frame in enumerate(labels):
        if frame.ndim == 3:
            samples = _samples(here, number, warping.shape)
            if max(samples) > 1:
                pull_back = partial(here.pull_back, frame=number)
                out[number] = volume_labels(frame, pull_back, warping.shape, samples)
            else:
                out[number] = here.warp_labels(frame[np.newaxis], number)[0]
            continue
        most = _cap(here, number, warping.shape)
        for first, at in _bands(here, number, warping.shape, corners=True):
            out[number, first : first + len(at.places)] = warped_labels(frame, at, most=most)


def _warped(
    planes: Array, valid: Array | None, here: Transform, number: int, warping: Warping
) -> Array:
    work = planes.astype(working_type(planes.dtype))
    lit = len(work) - warping.opacity
    if warping.white:
        work[:lit] = linear_light(work[:lit], warping.white)
    if len(warping.shape) == 3:
        if valid is not None:
            work[:, ~valid] = np.nan
        samples = _samples(here, number, warping.shape)
        if max(samples) > 1:
            pull_back = partial(here.pull_back, frame=number)
            moved = volume_mean(work, pull_back, warping.shape, samples)
        else:
            moved = here.warp_image(work, number)
    else:
        image = prepared(work, valid)
        moved = np.empty((len(work), *warping.shape), work.dtype)
        most = _cap(here, number, warping.shape)
        kernel, limited = warping.kernel, None
        if kernel == "fourier":
            limited = BandLimited(image.planes, here.jacobian(np.zeros((1, 2)), number)[0])
        corners = kernel in ("area", "fourier")
        for first, at in _bands(here, number, warping.shape, corners=corners):
            if limited is not None:
                part = fourier_warped(image, at, limited)
            elif kernel != "fourier":
                part = warped(image, at, kernel=kernel, most=most)
            moved[:, first : first + len(at.places)] = part
    if warping.white:
        moved[:lit] = coded_light(moved[:lit], warping.white)
    return moved


def _cap(here: Transform, number: int, shape: tuple[int, ...]) -> float:
    rows, columns = shape
    return cap_of(lambda points: here.jacobian(points, number), (rows, columns))


def _samples(here: Transform, number: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    return samples_of(partial(here.jacobian, frame=number), shape)


def _bands(
    here: Transform, number: int, shape: tuple[int, ...], *, corners: bool
) -> Iterator[tuple[int, Footprints]]:
    rows, columns = shape
    height = max(1, _AT_ONCE // columns)
    return (
        (
            first,
            footprints(
                lambda points: here.pull_back(points, number),
                lambda points: here.jacobian(points, number),
                (min(height, rows - first), columns),
                first,
                corners=corners,
            ),
        )
        for first in range(0, rows, height)
    )
