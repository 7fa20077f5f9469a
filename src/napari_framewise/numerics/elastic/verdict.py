"""Whether there was anything to register: shared texture, beyond noise, in one place only."""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache

import numpy as np
from scipy import ndimage

from napari_framewise.numerics.derivatives import eroded
from napari_framewise.numerics.elastic.field import Field, FloatArray
from napari_framewise.numerics.elastic.images import BoolArray, Seen
from napari_framewise.numerics.interpolation import sample
from napari_framewise.numerics.overlap_correlation import Spectra, correlations
from napari_framewise.numerics.separable import correlated

# A low-pass to a sixth of a cycle per pixel: a sinc under a Hamming window.
_TAPS = np.arange(-7, 8)
_LOW = np.sinc(_TAPS / 3) * np.hamming(len(_TAPS))
_LOW /= _LOW.sum()
_TILE = 4
_LEAST_EVIDENCE = 6.0
_RIVAL = 0.8
_NEAR = 4
# Longest side of what is compared with itself, by axes.
_LOOKED_AT = {2: 256, 3: 48}
_LEAST_TRUST = 0.02


class Status(IntEnum):
    """How a registration ended. From `NO_DATA` on there is no transform: it is NaN."""

    CONVERGED = 0
    SLOW = 1
    COARSE = 2
    NO_DATA = 3
    FLAT = 4
    NOISY = 5
    LEFT = 6
    UNLIKE = 7
    AMBIGUOUS = 8

    @property
    def sentence(self) -> str:
        """What it means, and what to do."""
        return _SENTENCES[self]

    @property
    def word(self) -> str:
        """One word for tables."""
        return self.name.lower().replace("_", " ")


_SENTENCES = {
    Status.CONVERGED: (
        "The last step was shorter than 0.02 pixels, root mean square over the frame, and small "
        "blocks have no more than 0.5 pixels left."
    ),
    Status.SLOW: (
        "The steps were still longer than 0.02 pixels, root mean square over the frame, when the "
        "iterations ran out: ask for more smoothness, or nodes farther apart."
    ),
    Status.COARSE: (
        "It was not shown that the images lie on each other to 0.5 pixels: small blocks are still "
        "shifted by more, or too few can be read. Motion may bend between the nodes: give nodes "
        "closer together, or splines for blocks."
    ),
    Status.NO_DATA: "An image has no usable pixels: all are NaN or masked.",
    Status.FLAT: "An image is of one value wherever it may be used, so nothing can be compared.",
    Status.NOISY: (
        "Nothing in an image stands out of its noise: average or bin pixels or frames first."
    ),
    Status.LEFT: (
        "Hardly any usable pixel of the reference lies on a usable pixel of the image: start from "
        "an alignment, or give landmarks."
    ),
    Status.UNLIKE: (
        "The images have no texture in common: what they show in detail is no more alike after "
        "registration than chance gives. Start from an alignment, or give landmarks, where they "
        "lie far apart."
    ),
    Status.AMBIGUOUS: (
        "The pattern repeats itself, so that another place fits as well: give landmarks, or start "
        "from an alignment."
    ),
}


def evidence(here: Seen, there: Seen, field: Field) -> float:
    """How far the details of two levels are alike, in standard errors of unrelated ones.

    What both hold above a sixth of a cycle per pixel is multiplied and summed over squares of 4
    pixels, which are independent where the images are; ``sum / sqrt(sum of squares)`` of these is
    normal then. A coarser level does not show these frequencies, so that what was fitted there has
    no say, even if it was chance. NaN where nothing is compared.
    """
    at = field.on_grid(here.coordinates)
    at = (at - np.reshape(there.offset, (-1, 1, 1))) / np.reshape(there.step, (-1, 1, 1))
    # Rounding must not put a border pixel outside.
    (moved, seen), _, inside = sample(there.spline, np.round(at, 9))
    use = eroded(inside & here.valid, 2)
    first, second = _details(here.values), _details(moved)
    weight = np.where(use, (np.clip(seen, 0, 1) * here.trust) ** 2, 0.0)
    # Few strong edges prove little: each pixel counts at most as three typical ones.
    products = []
    for each in (first, second):
        typical = np.sqrt(np.average(each**2, weights=weight)) if weight.any() else 0.0
        products.append(np.clip(each, -3 * typical, 3 * typical))
    product = _in_tiles(weight * products[0] * products[1])
    spread = float(np.sqrt((product**2).sum()))
    return float(product.sum()) / spread if spread > 0 else float("nan")


def repeats(seen: tuple[Seen, ...]) -> bool:
    """Whether an image looks the same some pixels on, on the level that shows all of it."""
    level = next((each for each in seen if max(each.values.shape) <= _LOOKED_AT[2]), seen[-1])
    if float(np.mean(level.trust[level.valid])) < _LEAST_TRUST:
        level = seen[0]
    return repeated(level.values, level.valid & (level.trust > 0))


def repeated(values: FloatArray, use: BoolArray) -> bool:
    """Whether the middle of an image looks the same some pixels on."""
    most = _LOOKED_AT[values.ndim]
    middle = tuple(slice(max(0, (n - most) // 2), (n + most) // 2) for n in values.shape)
    here, known = (np.ascontiguousarray(each[middle]) for each in (values, use))
    return _repeated(here.tobytes(), known.tobytes(), here.shape)


@lru_cache(maxsize=16)
def _repeated(values: bytes, use: bytes, shape: tuple[int, ...]) -> bool:
    """The same; kept, for all frames of a movie have the reference in common."""
    here = np.frombuffer(values).reshape(1, *shape)
    known = np.frombuffer(use, bool).reshape(shape).astype(float)
    if known.sum() < 64:
        return False
    found, _ = correlations(Spectra.of(here, known, shape), here, known, 0.3)
    away = np.indices(found.shape) - np.reshape(np.array(shape) - 1, (-1, *(1,) * len(shape)))
    near = (np.abs(away) <= _NEAR).all(axis=0) | _hill(found)
    return bool(np.nanmax(np.where(near, -1.0, found), initial=-1.0) > _RIVAL)


def judged(found: float, least_trust: float) -> Status | None:
    """What evidence and the share of texture say; None where the answer stands."""
    if least_trust < _LEAST_TRUST:
        return Status.NOISY
    if np.isnan(found):
        return Status.LEFT
    return Status.UNLIKE if found < _LEAST_EVIDENCE else None


def _details(values: FloatArray) -> FloatArray:
    """What a coarser level can't show, however smooth the texture is."""
    return np.asarray(values - correlated(correlated(values, _LOW, 0), _LOW, 1))


def _in_tiles(values: FloatArray) -> FloatArray:
    """Sums over squares; what is left over at the far borders is not counted."""
    rows, columns = (n // _TILE for n in values.shape)
    whole = values[: rows * _TILE, : columns * _TILE]
    return np.asarray(whole.reshape(rows, _TILE, columns, _TILE).sum(axis=(1, 3)))


def _hill(found: FloatArray) -> BoolArray:
    """Shifts from which the correlation rises all the way to the middle, roughly."""
    labels, _ = ndimage.label(found > _RIVAL / 2)
    middle = tuple((n - 1) // 2 for n in found.shape)
    return np.asarray(labels == labels[middle]) if labels[middle] else np.zeros(found.shape, bool)
