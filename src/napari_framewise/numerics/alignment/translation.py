"""Shifts, found as a whole: from the best of all shifts, by equations that leave no bias."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.alignment.levels import Planes, standardised
from napari_framewise.numerics.alignment.result import Alignment, Status, no_alignment
from napari_framewise.numerics.alignment.template import Settings, Template
from napari_framewise.numerics.alignment.translation_equations import Answer, solved
from napari_framewise.numerics.alignment.translation_images import QUIET, Ready, noise_share
from napari_framewise.numerics.alignment.translation_search import Found, searched, sigmas

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
# Gaussians that the images are smoothed by, as far as it lessens the error, and of the shorter
# side, the widest; an error that is worth more smoothing; the share of noise that hides a scene.
_SMOOTHINGS, _WIDEST, _LESS = (0.0, 1.0, 2.0, 4.0), 1 / 20, 0.8
_NOISY = 0.4
# Of what image and template don't share, what is taken to be noise: the rest is interpolation's.
_SHARED = 0.4
_LARGEST_ERROR = 1.0
# Of a stated error, how much may be missing of the way for it to hold.
_SHORT = 0.1


def translated(template: Template, planes: Planes, start: FloatArray | None) -> Alignment:
    """Align by a shift alone; see `align`."""
    settings = template.settings
    mean, spread = template.mean, template.spread
    if settings.brightness and len(planes.values) == 1:
        mean, spread = planes.brightness(per_channel=True)
    ready = template.ready(_ready)
    values, usable = standardised(planes, mean, spread, settings.robust)
    image = Ready(values, usable, noise_share(values))
    noise = max(ready.noise, image.noise)
    side = min(*template.shape, *planes.shape)
    if start is None:
        given = np.array([(m - n) / 2 for m, n in zip(planes.shape, template.shape, strict=True)])
    else:
        given = start[:2, 2]
    found: Found | None = None
    if settings.start == "correlation":
        found = searched(ready, image, settings, noise, side)
        if found is None:
            return no_alignment("translation", Status.LEFT, 2)
        given = np.array(found.peak)
    begin = (
        float((template.spread / spread).mean()),
        float(((template.mean - mean) / spread).mean()),
    )
    put = None if found is None else found.put
    answer = _best_of(ready, image, settings, (noise, side), given, begin, put)
    clear = found is None or (isinstance(answer, Answer) and found.holds(answer.shift))
    overlap, past = 0.0, None
    status: Status | None
    if isinstance(answer, Status):
        status = answer
    else:
        status, past = _refused(answer, clear, found is not None and clear), answer.history
        overlap = overlap_of(template, planes, answer.shift)
        if overlap < settings.least_overlap:
            status = Status.LEFT
    if status in (Status.FLAT, Status.UNLIKE) and noise > _NOISY:
        status = Status.NOISY
    if status is not None or isinstance(answer, Status):
        return no_alignment("translation", status or Status.FLAT, 2, past)
    gains = answer.gain * spread / template.spread
    offsets = mean + spread * answer.offset - gains * template.mean
    typical = float(np.sqrt((spread**2).mean()))
    matrix = np.eye(3)
    matrix[:2, 2] = answer.shift
    far = answer.left > max(settings.tolerance, _SHORT * answer.error)
    return Alignment(
        matrix=matrix,
        motion="translation",
        status=Status.SLOW if far else Status.CONVERGED,
        gain=float(gains.mean()),
        offset=float(offsets.mean()),
        correlation=answer.correlation,
        rmse=answer.rms * typical,
        overlap=overlap,
        covariance=answer.covariance,
        motion_error=answer.error,
        iterations=len(answer.history),
        history=answer.history * np.array([1, typical, 1, 1, 1]),
    )


def _ready(template: Template) -> Ready:
    values, usable = standardised(
        template.planes, template.mean, template.spread, template.settings.robust
    )
    return Ready(values, usable, noise_share(values))


def _best_of(
    template: Ready,
    image: Ready,
    settings: Settings,
    noise_and_side: tuple[float, int],
    given: FloatArray,
    begin: tuple[float, float],
    put: BoolArray | None,
) -> Answer | Status:
    """The answer of least error, of as much smoothing as the noise asks for."""
    noise, side = noise_and_side
    best: Answer | Status = Status.FLAT
    known = given
    for sigma in sigmas(_WIDEST * side, settings.smoothing, _SMOOTHINGS):
        still, moved = template.still(sigma), image.moved(sigma)
        if put is not None:
            still = replace(still, use=still.use * ~put, windows={})
        each = solved(still, moved, settings, known, *begin)
        if isinstance(each, Status):
            best = each if isinstance(best, Status) else best
        else:
            good = each.alike and each.textured
            if isinstance(best, Status) or (good, -each.error) > (
                best.alike and best.textured,
                -_LESS * best.error,
            ):
                best = each
            elif good and each.error > best.error:
                break
            noise = max(noise, _SHARED * (1 - each.correlation**2))
            if good:
                known = best.shift
        if noise < QUIET:
            break
    return best


def _refused(answer: Answer, clear: bool, seen: bool) -> Status | None:
    """Why an answer is none; `seen`, it was found among all shifts, and stands out."""
    if not (answer.alike or seen):
        return Status.UNLIKE
    if not answer.textured:
        return Status.FLAT
    if not answer.error < _LARGEST_ERROR:
        return Status.FLAT
    return None if clear else Status.AMBIGUOUS


def overlap_of(template: Template, planes: Planes, shift: FloatArray) -> float:
    """Share of the template's usable pixels that lie on usable pixels of the image."""
    own, other = template.planes.usable, planes.usable
    low = [max(0, int(np.ceil(-s - 1e-6))) for s in shift]
    high = [
        min(n, int(np.floor(m - 1 - s + 1e-6)) + 1)
        for s, n, m in zip(shift, own.shape, other.shape, strict=True)
    ]
    if high[0] <= low[0] or high[1] <= low[1]:
        return 0.0
    part = own[low[0] : high[0], low[1] : high[1]]
    if other.all():
        return float(part.sum() / own.sum())
    rows, columns = (
        np.clip(np.rint(np.arange(a, b) + s).astype(int), 0, m - 1)
        for a, b, s, m in zip(low, high, shift, other.shape, strict=True)
    )
    return float((part & other[np.ix_(rows, columns)]).sum() / own.sum())
