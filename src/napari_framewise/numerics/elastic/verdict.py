"""Whether there was anything to register: shared texture, beyond noise, in one place only."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from scipy import ndimage

from napari_framewise.numerics.derivatives import eroded
from napari_framewise.numerics.elastic.field import Field, FloatArray
from napari_framewise.numerics.elastic.images import BoolArray, Seen
from napari_framewise.numerics.interpolation import sample
from napari_framewise.numerics.overlap_correlation import Spectra, correlations
from napari_framewise.numerics.separable import correlated

_SECOND = np.array([1.0, -2.0, 1.0])
_LEAST_EVIDENCE = 8.0
_RIVAL = 0.8
_NEAR = 4
_LOOKED_AT = 256
_LEAST_TRUST = 0.02


class Status(IntEnum):
    """How a registration ended. From `NO_DATA` on there is no transform: it is NaN."""

    CONVERGED = 0
    SLOW = 1
    NO_DATA = 2
    FLAT = 3
    NOISY = 4
    LEFT = 5
    UNLIKE = 6
    AMBIGUOUS = 7

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
        "The last step was shorter than 0.02 pixels, root mean square over the frame."
    ),
    Status.SLOW: (
        "The steps were still longer than 0.02 pixels, root mean square over the frame, when the "
        "iterations ran out: ask for more smoothness, or nodes farther apart."
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

    The correlation r of their second differences, which tell of details that a coarser level does
    not hold: ``r sqrt(n)``, with n their effective number. NaN where nothing is compared.
    """
    at = field.on_grid(here.coordinates)
    at = (at - np.reshape(there.offset, (-1, 1, 1))) / np.reshape(there.step, (-1, 1, 1))
    # Rounding must not put a border pixel outside.
    (moved, seen), _, inside = sample(there.spline, np.round(at, 9))
    use = eroded(inside & here.valid, 1)
    first, second = _details(here.values), _details(moved)
    weight = np.where(use, (np.clip(seen, 0, 1) * here.trust) ** 2, 0.0)
    # Few strong edges prove little: each pixel counts at most as three typical ones.
    products = []
    for each in (first, second):
        typical = np.sqrt(np.average(each**2, weights=weight)) if weight.any() else 0.0
        products.append(np.clip(each, -3 * typical, 3 * typical))
    product = weight * products[0] * products[1]
    spread = float(np.sqrt((product**2).sum()))
    return float(product.sum()) / spread if spread > 0 else float("nan")


def repeats(seen: tuple[Seen, ...]) -> bool:
    """Whether an image looks the same some pixels on, on the level that shows all of it."""
    level = next((each for each in seen if max(each.values.shape) <= _LOOKED_AT), seen[-1])
    if float(np.mean(level.trust[level.valid])) < _LEAST_TRUST:
        level = seen[0]
    middle = tuple(
        slice(max(0, (n - _LOOKED_AT) // 2), (n + _LOOKED_AT) // 2) for n in level.values.shape
    )
    values = level.values[middle][None]
    use = (level.valid & (level.trust > 0))[middle].astype(float)
    if use.sum() < 64:
        return False
    found, _ = correlations(Spectra.of(values, use, use.shape), values, use, 0.3)
    away = np.indices(found.shape) - np.reshape(np.array(use.shape) - 1, (2, 1, 1))
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
    return np.asarray(correlated(values, _SECOND, 0) + correlated(values, _SECOND, 1))


def _hill(found: FloatArray) -> BoolArray:
    """Shifts from which the correlation rises all the way to the middle, roughly."""
    labels, _ = ndimage.label(found > _RIVAL / 2)
    middle = tuple((n - 1) // 2 for n in found.shape)
    return np.asarray(labels == labels[middle]) if labels[middle] else np.zeros(found.shape, bool)
