"""What is wrong with one image, whatever it is to be aligned to."""

from __future__ import annotations

from dataclasses import replace

from numpy.typing import ArrayLike

from napari_framewise.numerics.alignment.levels import LEAST_PIXELS, as_planes, standardised
from napari_framewise.numerics.alignment.result import Status
from napari_framewise.numerics.alignment.template import Settings, prepare
from napari_framewise.numerics.alignment.translation import translated
from napari_framewise.numerics.alignment.translation_images import noise_share

# Share of the pixels at the largest value, and share of noise in the variance, that hide a scene.
_TOP, _NOISE = 0.25, 0.8


def fault_of(image: ArrayLike, mask: ArrayLike | None = None, *, settings: Settings) -> str:
    """What keeps an image from being aligned to anything, in a few words; empty where nothing does.

    Parameters
    ----------
    image : (y, x) or (y, x, channels)
    mask : (y, x), optional
        Not zero = use this pixel.
    settings : Settings
        How it was to be aligned.

    Raises
    ------
    ValueError
        For another number of axes, complex numbers, or a mask of another shape.

    Examples
    --------
    >>> fault_of(np.full((32, 32), 7.0), settings=Settings())
    'is of one value'
    """
    planes = as_planes(image, mask, "image")
    count = int(planes.usable.sum())
    if count < LEAST_PIXELS:
        return "has no usable pixels: all are NaN or masked"
    if planes.blank:
        return "is of one value"
    known = planes.values[:, planes.usable]
    top = float((known == known.max(axis=1, keepdims=True)).mean())
    if top > _TOP:
        return f"has {round(100 * top)} % of its pixels at its largest value, as if saturated"
    mean, spread = planes.brightness(per_channel=True)
    values, _ = standardised(planes, mean, spread, settings.robust)
    noise = noise_share(values)
    if noise > _NOISE:
        return f"shows hardly more than noise ({round(100 * min(noise, 1.0))} % of its variance)"
    # To itself everything fits, unless there is nothing to see along some direction, or it is to be
    # seen in several places.
    shifts = replace(settings, motion="translation", start="correlation")
    template = prepare(image, mask, settings=shifts)
    status = translated(template, planes, None).status
    if status == Status.AMBIGUOUS:
        return "looks the same in several places"
    if status in (Status.FLAT, Status.UNLIKE):
        return "shows no texture along some direction"
    return ""
