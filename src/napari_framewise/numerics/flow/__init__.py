"""Dense optical flow after Lucas & Kanade: where every pixel of a frame went, and how surely.

Each pixel has its own system of equations, ``T u = b``: the structure tensor T of its window and
what the frames' difference says, solved for the total flow of a warp (Lucas & Kanade 1981;
Bouguet 2001), pulled towards the flow of its neighbours (Bruhn, Weickert & Schnoerr 2005).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from napari_framewise.numerics.common.blocks import real_array
from napari_framewise.numerics.flow.apply import inverse, jacobian, moved, warped, warped_dtype
from napari_framewise.numerics.flow.colour import colours, legend
from napari_framewise.numerics.flow.evidence import (
    Evidence,
    evidence,
    extended,
    misfit,
    there_and_back,
)
from napari_framewise.numerics.flow.levels import Planes, coarse_to_fine
from napari_framewise.numerics.flow.light import detailed
from napari_framewise.numerics.flow.prepared import Prepared, prepare
from napari_framewise.numerics.flow.rivals import nearest_rival
from napari_framewise.numerics.flow.settings import FlowSettings

__all__ = [
    "Evidence",
    "Flow",
    "FlowSettings",
    "Ranking",
    "colours",
    "estimate",
    "inverse",
    "jacobian",
    "legend",
    "moved",
    "planes_of",
    "warm_up",
    "warped",
    "warped_dtype",
]

BoolArray: TypeAlias = NDArray[np.bool_]
Ranking: TypeAlias = Literal["combined", "forward_backward", "residual", "eigenvalue"]

# Levels on which a period still has so many pixels; the residual that the smallest motion may have,
# over that of another; the share of the pixels that must be known in any direction, lest
# the flow is taken from the confident ones alone.
_OF_A_PERIOD, _NO_WORSE, _LEAST_KNOWN, _CONFIDENT = 4.0, 1.2, 0.2, 0.5
# The share that must be known, lest the detail of both frames is followed as well; that is taken
# where it tells more, and more than chance does.
_MOSTLY_KNOWN, _BY_CHANCE = 0.35, 0.02


@dataclass(frozen=True, eq=False)
class Flow:
    """The flow from a first frame to a second.

    Attributes
    ----------
    displacement : (ndim, *grid) float32
        Where each pixel of the first frame went, in pixels, row-column order; NaN where the first
        frame has no data.
    evidence : Evidence
        What the images say of it.
    forward_backward : (*grid) float32, optional
        Distance in pixels from where a pixel ends that follows this flow and then the flow from
        the second frame to the first; NaN where it leaves the frame.
    ranking : {"combined", "forward_backward", "residual", "eigenvalue"}
        What its confidence rests on.
    chance : (*grid) bool, optional
        Where what looks known is too small a piece to be more than chance.
    """

    displacement: Planes
    evidence: Evidence
    forward_backward: Planes | None
    ranking: Ranking
    chance: BoolArray | None = None

    def uncertainty(self) -> Planes:
        """What the confidence rests on, in pixels; inf where nothing can be told.

        It ranks errors and is no standard deviation of them: what smoothing does to the flow
        between its neighbours is not in it.
        """
        error = self.evidence.standard_error(local=self.ranking != "eigenvalue")
        if self.chance is not None:
            error = np.where(self.chance, np.float32(np.inf), error)
        if self.ranking == "eigenvalue":
            return error
        if self.ranking == "residual" or self.forward_backward is None:
            return error
        distance = np.nan_to_num(self.forward_backward, nan=np.inf)
        if self.ranking == "forward_backward":
            return np.where(np.isfinite(error), distance, np.float32(np.inf))
        return np.hypot(distance, error)

    def confidence(self) -> Planes:
        """Between 0 and 1: ``1 / (1 + e^2)`` for an uncertainty of e pixels."""
        error = self.uncertainty().astype(np.float64)
        return (1 / (1 + error**2)).astype(np.float32)


def estimate(
    first: ArrayLike,
    second: ArrayLike,
    settings: FlowSettings = FlowSettings(),  # noqa: B008
    *,
    valid: BoolArray | None = None,
    second_valid: BoolArray | None = None,
    ranking: Ranking = "combined",
) -> Flow:
    """Estimate the flow from one frame to another.

    Parameters
    ----------
    first, second : (channels, *grid)
        Frames of 2 or 3 axes in any real dtype; see `planes_of`. NaN and infinite values are no
        data.
    settings : FlowSettings
        How.
    valid, second_valid : (*grid) bool, optional
        True = use this pixel. Where there is no data the flow comes from around it; what stands
        under a mask has no say.
    ranking : str
        What the confidence rests on. Those with the forward-backward distance take twice as long.

    Raises
    ------
    ValueError
        Where the frames differ in shape, are not real numbers, or are no planes or volumes.

    Examples
    --------
    >>> from scipy import ndimage
    >>> noise = np.random.default_rng(0).normal(size=(60, 60))
    >>> scene = 100 * ndimage.gaussian_filter(noise, 2)
    >>> flow = estimate(scene[np.newaxis, 8:56, 8:56], scene[np.newaxis, 7:55, 8:56])
    >>> down, right = np.median(flow.displacement, axis=(1, 2))
    >>> bool(abs(down - 1) < 0.05), bool(abs(right) < 0.05)
    (True, True)
    """
    pair = [real_array(each, "frames") for each in (first, second)]
    if pair[0].shape != pair[1].shape:
        raise ValueError(
            f"The frames have the shapes {pair[0].shape} and {pair[1].shape}; the flow between "
            "frames of one shape is wanted: cut or resize one of them."
        )
    if pair[0].ndim not in (3, 4) or 0 in pair[0].shape:
        raise ValueError(
            f"Frames of shape {pair[0].shape} were given; (channels, y, x) or (channels, z, y, x) "
            "with at least one pixel is needed."
        )
    prepared = prepare(pair[0], pair[1], valid, second_valid, settings)
    flow = _followed(prepared, settings, ranking)
    if settings.brightness == "changing" and flow.evidence.known() < _MOSTLY_KNOWN:
        # Light over what is plain draws the flow along: detail alone may tell of more.
        # What repeats in the frames themselves repeats, though what is slow was taken off it.
        other = _followed(
            detailed(prepared, settings), settings, ranking, repeating=flow.evidence.rival
        )
        if other.confidence().mean() > max(flow.confidence().mean(), _BY_CHANCE):
            flow = other
    if flow.evidence.known() < _LEAST_KNOWN:
        flow = replace(flow, chance=_specks(flow))
        flow = replace(flow, displacement=extended(flow.displacement, _confident(flow)))
    given = prepared.first[0].valid
    if given is not None:
        kept = np.where(given, flow.displacement, np.float32(np.nan))
        flow = replace(flow, displacement=kept)
    return flow


def _followed(
    pair: Prepared,
    settings: FlowSettings,
    ranking: Ranking,
    *,
    repeating: Planes | None = None,
) -> Flow:
    """The flow of a pair, the smallest where several look the same, and what is known of it.

    `repeating` is a distance to places that look the same which is known already.
    """
    rival = nearest_rival(pair.first, pair.noise)
    if repeating is not None:
        rival = np.minimum(rival, repeating)
    forward, varying = coarse_to_fine(pair, settings)
    if np.isfinite(apart := float(np.median(rival))):
        # Among motions that look the same the smallest is given.
        near = pair.finer_than(apart / _OF_A_PERIOD)
        small, _ = coarse_to_fine(near, settings, varying=varying)
        left, other = (misfit(pair, each, settings, varying=varying) for each in (small, forward))
        if left < _NO_WORSE * other:
            pair, forward = near, small
    distance = None
    if ranking in ("combined", "forward_backward"):
        backward, _ = coarse_to_fine(pair.swapped, settings, varying=varying)
        distance = there_and_back(forward, backward)
    found = evidence(pair, forward, rival, settings, varying=varying)
    if found.known() < _LEAST_KNOWN:
        # Where little is known, what looks known by chance counts for more.
        found = replace(found, beyond=2 * found.beyond)
    return Flow(forward, found, distance, ranking)


def _confident(flow: Flow) -> BoolArray:
    return np.asarray(flow.confidence() > _CONFIDENT)


def _specks(flow: Flow) -> BoolArray:
    """Pieces of confident pixels that are smaller than half of what a window is worth.

    What can be told of one place shows over a window around it; a piece of that is chance.
    """
    evidence = flow.evidence
    pieces, _ = ndimage.label(_confident(flow))
    sizes = np.bincount(pieces.ravel())
    least = min(evidence.pixels, float(evidence.usable.sum())) / 2
    small = sizes < least
    small[0] = False
    return np.asarray(small[pieces])


def planes_of(frame: NDArray[Any], *, channels_last: bool = False) -> NDArray[Any]:
    """A frame (*grid) or, with `channels_last`, (*grid, channels) as (channels, *grid).

    Examples
    --------
    >>> planes_of(np.zeros((5, 6, 3)), channels_last=True).shape
    (3, 5, 6)
    """
    return np.moveaxis(frame, -1, 0) if channels_last else frame[np.newaxis]


def warm_up() -> None:
    """Compile what a flow between planes takes."""
    wave = np.sin(np.arange(24 * 24, dtype=np.float32) / 5).reshape(1, 24, 24)
    estimate(wave, np.roll(wave, 1, axis=2), FlowSettings(quality="thorough"))
