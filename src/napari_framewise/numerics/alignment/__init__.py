"""Lucas-Kanade alignment: the transform that brings an image onto a template.

Minimises ``sum_p w_p rho(image(M p) - gain template(p) - offset)`` over the matrix M of a family of
transforms, coarse to fine, from a start that normalised cross-correlation finds. After Baker, S.
and Matthews, I. (2004), "Lucas-Kanade 20 years on: a unifying framework", International Journal of
Computer Vision 56, 221-255.

Typical use::

    template = prepare(reference, settings=Settings(motion="euclidean"))
    found = [align(template, frame) for frame in frames]
    aligned = [transforms.warp(frame, each.matrix) for frame, each in zip(frames, found)]
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from napari_framewise.numerics.alignment import levels
from napari_framewise.numerics.alignment.faults import fault_of
from napari_framewise.numerics.alignment.levels import as_planes
from napari_framewise.numerics.alignment.result import Alignment, Status, no_alignment
from napari_framewise.numerics.alignment.search import Search
from napari_framewise.numerics.alignment.template import Settings, Template, prepare
from napari_framewise.numerics.alignment.translation import translated
from napari_framewise.numerics.transforms import generators

__all__ = [
    "Alignment",
    "Settings",
    "Status",
    "Template",
    "align",
    "fault_of",
    "prepare",
    "warm_up",
]


def align(
    template: Template,
    image: ArrayLike,
    mask: ArrayLike | None = None,
    *,
    start: ArrayLike | None = None,
) -> Alignment:
    """Bring an image onto a template.

    Parameters
    ----------
    template : Template
        From `prepare`.
    image : (y, x) or (y, x, channels)
        With as many channels as the template; of any size.
    mask : (y, x), optional
        Not zero = use this pixel.
    start : (3, 3), optional
        A guess of the matrix; by default the template lies in the middle of the image. With
        ``start="correlation"`` it is one of the places that are tried.

    Returns
    -------
    Alignment
        Where there is no answer its matrix is NaN and its status says why; nothing is raised.

    Raises
    ------
    ValueError
        For another number of axes or channels, complex numbers, or a mask of another shape.

    Examples
    --------
    >>> from scipy import ndimage
    >>> noise = np.random.default_rng(0).normal(size=(80, 80))
    >>> scene = 100 * ndimage.gaussian_filter(noise, 2)
    >>> template = prepare(scene[10:70, 10:70], settings=Settings(motion="translation"))
    >>> found = align(template, scene[8:68, 11:71])
    >>> np.round(found.matrix[:2, 2], 2).tolist()
    [2.0, -1.0]
    """
    settings = template.settings
    planes = as_planes(image, mask, "image")
    if len(planes.values) != len(template.planes.values):
        raise ValueError(
            f"The image has {len(planes.values)} channels and the template "
            f"{len(template.planes.values)}; choose one channel of each, or images that have as "
            "many."
        )
    n_parameters = len(generators(settings.motion))
    if template.status is not None:
        return no_alignment(settings.motion, template.status, n_parameters)
    if planes.blank:
        return no_alignment(settings.motion, Status.NO_DATA, n_parameters)
    if settings.motion == "translation":
        return translated(template, planes, None if start is None else np.asarray(start, float))
    mean, spread = template.mean, template.spread
    if settings.brightness and len(planes.values) == 1:
        mean, spread = planes.brightness(per_channel=True)
    unit = levels.unit_of(template.shape)
    moving, pyramid = levels.moving_levels(
        planes, mean, spread, settings.smoothing, settings.robust, unit, len(template.fixed)
    )
    search = Search(template, planes, moving, pyramid, unit, mean, spread)
    return search.run(None if start is None else np.asarray(start, float))


def warm_up() -> None:
    """Compile or load the kernels that an alignment needs (some seconds the first time)."""
    rows, columns = np.mgrid[0:48, 0:48]
    image = np.sin(0.3 * rows) + np.cos(0.2 * columns + 0.1 * rows)
    align(prepare(image, settings=Settings()), image)
