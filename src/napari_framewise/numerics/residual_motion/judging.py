"""The extremes of a component registered to each other, and what that says of the stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.alignment import Status
from napari_framewise.numerics.rigid import RigidSettings, align, prepare

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
_EVEN, _FLOOR, _EXPLAINED = 3.0, 0.5, 0.2


@dataclass(frozen=True, eq=False)
class Component:
    """What one principal component says.

    Attributes
    ----------
    shift : (d,)
        Of the highest against the lowest, in pixels; NaN where the two can't be registered.
    error : (d,)
        Its standard error.
    motion : float
        Root mean square motion of the frames that it stands for, in pixels; what noise alone would
        give is taken out.
    square, square_error : float
        Square of that, which noise may make negative, and its standard error.
    local : float
        Root mean square motion of squares of pixels beyond the common shift, likewise.
    explained : float
        Share of the difference between highest and lowest that a shift explains, beyond gain and
        offset. Below 0.2 it is brightness or noise that varies: such a component counts as still.
    status : Status
        How the registration ended.
    """

    shift: FloatArray
    error: FloatArray
    motion: float
    square: float
    square_error: float
    local: float
    explained: float
    status: Status

    @property
    def moves(self) -> bool:
        """Whether it is motion that varies."""
        return self.found and self.explained >= _EXPLAINED

    @property
    def found(self) -> bool:
        """Whether its extremes could be registered."""
        return bool(np.isfinite(self.square))


def judge(
    low: FloatArray, high: FloatArray, use: BoolArray, own: FloatArray, weights: FloatArray
) -> Component:
    """Register a component's extremes to each other.

    Parameters
    ----------
    low, high : (*shape)
        Means of the frames of lowest and highest score.
    use : (*shape) bool
        Pixels that all frames show.
    own : (n,)
        The component's scores.
    weights : (n, 2)
        Which frames the two means are of.

    Examples
    --------
    >>> low = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(64, 64)), 2)
    >>> high = ndimage.shift(low, (1.0, 0.0), mode="nearest")
    >>> found = judge(low, high, np.ones((64, 64), bool), np.array([-1.0, 1.0]), np.eye(2))
    >>> round(found.motion, 1)  # Half a pixel to either side of their mean.
    0.5
    """
    d = low.ndim
    settings = RigidSettings(motion="translation", start="given", iterations=20)
    plain = low, high
    low, high = _evened(low, use), _evened(high, use)
    found = align(prepare(low, use, settings=settings), high, use)
    ends = own @ weights / weights.sum(axis=0)
    apart = float(ends[1] - ends[0])
    if not found.found or apart <= 0:
        nan = np.full(d, np.nan)
        missing = float("nan")
        return Component(nan, nan, missing, missing, missing, missing, 0.0, found.status)
    ratio = float(own.std()) / apart
    shift, spread = found.matrix[:d, d], found.covariance
    square = float(shift @ shift - np.trace(spread)) * ratio**2
    square_error = ratio**2 * float(
        np.sqrt(4 * shift @ spread @ shift + 2 * np.trace(spread @ spread))
    )
    local = _local(low, high, use, shift, found.gain, found.offset)
    return Component(
        shift=shift,
        error=np.sqrt(np.diag(spread)),
        motion=float(np.sqrt(max(square, 0.0))),
        square=square,
        square_error=square_error,
        local=float(np.sqrt(max(local, 0.0))) * ratio,
        explained=_explained(*plain, use, shift),
        status=found.status,
    )


def motion_left(components: list[Component]) -> tuple[float, float]:
    """Root mean square motion of the stack in pixels, and its upper 95 % limit.

    Scores of different components are not correlated, so that the squares of their motions add up.
    NaN where no component could be registered.

    Examples
    --------
    >>> motion_left([])
    (nan, nan)
    """
    known = [each for each in components if each.found]
    if not known:
        return float("nan"), float("nan")
    moving = [each for each in known if each.moves]
    total = sum(each.square for each in moving)
    noise = float(np.sqrt(sum(each.square_error**2 for each in known)))
    upper = max(total, 0.0) + 1.645 * noise
    return float(np.sqrt(max(total, 0.0))), float(np.sqrt(upper))


def least_seen(mean: FloatArray, use: BoolArray, own: FloatArray) -> float:
    """Root mean square motion, in pixels, that hides among the components.

    A motion makes a component of its own only where it varies more than the last of those that were
    looked at, whose scores are `own`.

    Examples
    --------
    >>> least_seen(np.ones((8, 8)), np.ones((8, 8), bool), np.arange(4.0))
    inf
    """
    slopes = [each[use] for each in _slopes(mean)]
    power = np.array([[float(np.nansum(a * b)) for b in slopes] for a in slopes])
    weakest = float(np.linalg.eigvalsh(power)[0]) if np.isfinite(power).all() else 0.0
    return float(own.std() / np.sqrt(weakest)) if weakest > 0 else float("inf")


def _explained(low: FloatArray, high: FloatArray, use: BoolArray, shift: FloatArray) -> float:
    """Share of the difference that a shift takes away, beyond gain and offset."""
    one, two = (
        ndimage.gaussian_filter(np.where(use, each, each[use].mean()), 1.0) for each in (low, high)
    )
    back = ndimage.shift(two, -shift, order=3, mode="nearest")
    one = one[use] - one[use].mean()
    errors = []
    for other in (two[use], back[use]):
        other = other - other.mean()
        gain = float(other @ one) / max(float(one @ one), 1e-300)
        errors.append(float(((other - gain * one) ** 2).sum()))
    return 1 - errors[1] / errors[0] if errors[0] > 0 else 0.0


def _local(
    low: FloatArray,
    high: FloatArray,
    use: BoolArray,
    shift: FloatArray,
    gain: float,
    offset: float,
    side: int = 32,
) -> float:
    """Mean square shift of squares of pixels beyond the common one, less what noise gives."""
    slopes = _slopes(low)
    back = ndimage.shift(np.where(use, high, 0.0), -shift, order=3, mode="nearest")
    left = (back - offset) / gain - low
    known = use & np.isfinite(left) & np.isfinite(np.array(slopes)).all(axis=0)
    left = np.where(known, left, 0.0)
    flat = [np.where(known, each, 0.0) for each in slopes]
    number = _tiles(known.astype(float), side)
    power = np.stack([np.stack([_tiles(a * b, side) for b in flat], -1) for a in flat], -2)
    pull = np.stack([_tiles(each * left, side) for each in flat], -1)
    noise = _tiles(left**2, side) / np.maximum(number, 1)
    enough = number > side**2 / 2
    if not enough.any():
        return float("nan")
    power, pull, noise = power[enough], pull[enough], noise[enough]
    values = np.linalg.eigvalsh(power)
    firm = values[:, 0] > 1e-3 * np.median(values[:, -1])
    if not firm.any():
        return float("nan")
    power, pull, noise = power[firm], pull[firm], noise[firm]
    moved = np.linalg.solve(power, pull[..., None])[..., 0]
    trace = np.trace(np.linalg.inv(power), axis1=1, axis2=2) * noise
    # A square of little texture says less.
    weight = 1 / np.maximum(trace, np.median(trace))
    return float((weight * ((moved**2).sum(axis=1) - trace)).sum() / weight.sum())


def _evened(image: FloatArray, use: BoolArray) -> FloatArray:
    """An image of equal contrast everywhere: less its local mean, over its local deviation.

    So that what grows brighter in its place has no say on motion. Where there is next to no
    contrast the deviation that is typical of the image's flatter parts is taken.
    """
    weight = ndimage.gaussian_filter(use.astype(np.float64), _EVEN)
    safe = np.maximum(weight, 1e-6)
    mean = ndimage.gaussian_filter(np.where(use, image, 0.0), _EVEN) / safe
    left = np.where(use, image - mean, 0.0)
    spread = np.sqrt(np.maximum(ndimage.gaussian_filter(left**2, _EVEN) / safe, 0.0))
    floor = _FLOOR * float(np.median(spread[use])) if use.any() else 0.0
    return np.where(use, left / np.maximum(np.hypot(spread, floor), 1e-300), np.nan)


def _tiles(values: FloatArray, side: int) -> FloatArray:
    for axis, length in enumerate(values.shape):
        values = np.asarray(np.add.reduceat(values, np.arange(0, length, side), axis=axis))
    return values


def _slopes(image: FloatArray) -> list[FloatArray]:
    return [
        np.asarray(np.gradient(image, axis=axis)) if image.shape[axis] > 1 else np.zeros_like(image)
        for axis in range(image.ndim)
    ]
