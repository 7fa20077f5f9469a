"""How much motion is left in a stack: extremes of principal components, registered to each other.

What varies most over the frames of an aligned stack is either brightness, or motion that is left.
For each principal component the frames with the highest scores are averaged, those with the lowest
too, and the two means are registered: cells that flash change their brightness and stay in place,
motion moves them. After Stringer, C. and Pachitariu, M. (suite2p, metrics of registration), with
two things more: a shift is brought to the root mean square motion of the frames that the component
stands for, and what noise alone would give is taken out.

A stack is gone through block by block: `power_step` some times, then `scores`, then `means_of`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.alignment import Status
from napari_framewise.numerics.rigid import RigidSettings, align, prepare

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
PIXELS = 2**16
"""Frames of more pixels than this are averaged over squares (cubes) of pixels first."""
SHARE = 0.1
"""Share of the frames that make up an extreme."""
_FURTHER = 6
_EVEN, _FLOOR, _EXPLAINED = 3.0, 0.5, 0.2


def binning(shape: tuple[int, ...], most: int = PIXELS) -> int:
    """Side of the squares, or cubes, of pixels that are averaged.

    Examples
    --------
    >>> binning((256, 256)), binning((512, 512)), binning((2048, 1024))
    (1, 2, 6)
    """
    factor = 1
    while np.prod([max(length // factor, 1) for length in shape]) > most:
        factor += 1
    return factor


def binned(frames: NDArray[Any], factor: int) -> FloatArray:
    """Frames (n, *shape) averaged over squares of pixels; what is left over at the end is cut off.

    NaN where no pixel of a square has data.

    Examples
    --------
    >>> binned(np.arange(8.0).reshape(1, 2, 4), 2).tolist()
    [[[2.5, 4.5]]]
    """
    values = np.asarray(frames, np.float64)
    if factor == 1:
        return values
    known = np.isfinite(values)
    total = _in_squares(np.where(known, values, 0.0), factor)
    number = _in_squares(known.astype(np.float64), factor)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def padding(frames: NDArray[Any]) -> BoolArray:
    """Pixels of black borders, that is, of lines of zeros that begin at a border.

    What a registration shifts in is 0 in whole numbers. A line must be 0 from the border on, and
    at least three pixels long.

    Parameters
    ----------
    frames : (n, ..., y, x)

    Examples
    --------
    >>> frame = np.ones((1, 6, 6))
    >>> frame[:, :3] = 0
    >>> padding(frame)[0].sum(axis=1).tolist()
    [6, 6, 6, 0, 0, 0]
    """
    zero = np.asarray(frames) == 0
    found = np.zeros(zero.shape, bool)
    if not zero.any():
        return found
    for axis in (-2, -1):
        for turned in (False, True):
            line = np.flip(zero, axis) if turned else zero
            run = np.logical_and.accumulate(line, axis=axis)
            long = run.sum(axis=axis, keepdims=True) >= min(3, zero.shape[axis])
            run &= long
            found |= np.flip(run, axis) if turned else run
    return found


def first_basis(pixels: int, components: int) -> FloatArray:
    """Random directions (pixels, components + 6) that the power steps begin from.

    Examples
    --------
    >>> first_basis(50, 4).shape
    (50, 10)
    """
    rng = np.random.default_rng(20)
    return orthonormal(rng.normal(size=(pixels, components + _FURTHER)))


def orthonormal(vectors: FloatArray) -> FloatArray:
    """The same space with columns at right angles, of length one.

    Examples
    --------
    >>> columns = orthonormal(np.array([[3.0, 1.0], [0.0, 2.0]]))
    >>> bool(np.allclose(columns.T @ columns, np.eye(2)))
    True
    """
    return np.asarray(np.linalg.qr(vectors)[0])


def centred(frames: FloatArray, mean: FloatArray, use: BoolArray) -> FloatArray:
    """Frames (n, pixels in use) less their mean; a frame without data, or with gaps, is 0 there.

    Examples
    --------
    >>> frames = np.array([[[1.0, np.nan, 5.0]]])
    >>> centred(frames, np.ones((1, 3)), np.ones((1, 3), bool)).tolist()
    [[0.0, 0.0, 4.0]]
    """
    rows = frames[:, use] - mean[use]
    return np.where(np.isfinite(rows), rows, 0.0)


def power_step(rows: FloatArray, basis: FloatArray) -> FloatArray:
    """A block's part of one step of subspace iteration, ``X' X basis``: add over the blocks.

    Examples
    --------
    >>> power_step(np.array([[1.0, 2.0]]), np.array([[1.0], [0.0]])).tolist()
    [[1.0], [2.0]]
    """
    return np.asarray(rows.T @ (rows @ basis))


def scores(rows: FloatArray, basis: FloatArray) -> FloatArray:
    """Scores of a block's frames (n, components) along a basis.

    Examples
    --------
    >>> scores(np.array([[1.0, 2.0]]), np.array([[0.6], [0.8]])).round(12).tolist()
    [[2.2]]
    """
    return np.asarray(rows @ basis)


def principal(found: FloatArray, components: int) -> FloatArray:
    """Scores turned to the principal axes within the basis, those of most variance first.

    They are rounded to single precision, so that the order of sums decides no rank.

    Examples
    --------
    >>> found = np.array([[0.0, 3.0], [0.0, -3.0], [1.0, 0.0], [-1.0, 0.0]])
    >>> np.abs(principal(found, 1)).ravel().tolist()
    [3.0, 3.0, 0.0, 0.0]
    """
    values, turn = np.linalg.eigh(found.T @ found)
    order = np.argsort(values)[::-1][:components]
    turned = found @ turn[:, order]
    # A component has no sign: that of its largest entry is made positive.
    largest = np.abs(turned).argmax(axis=0)
    signs = np.where(turned[largest, np.arange(turned.shape[1])] < 0, -1.0, 1.0)
    size = float(np.abs(turned).max(initial=0.0))
    unit = 2.0 ** np.floor(np.log2(size)) if size > 0 else 1.0
    return np.asarray((turned * signs / unit).astype(np.float32), np.float64) * unit


def extremes(found: FloatArray, usable: BoolArray) -> FloatArray:
    """Which frames make up the lowest and highest of each component: weights (n, 2 k), 0 or 1.

    Parameters
    ----------
    found : (n, k)
        Scores.
    usable : (n,) bool
        Frames that hold data.

    Examples
    --------
    >>> extremes(np.array([[2.0], [0.0], [9.0], [1.0]]), np.ones(4, bool)).T.tolist()
    [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]
    """
    numbers = np.flatnonzero(usable)
    count = max(1, min(round(SHARE * len(numbers)), len(numbers) // 2))
    weights = np.zeros((len(found), 2 * found.shape[1]))
    for component in range(found.shape[1]):
        order = numbers[np.argsort(found[numbers, component], kind="stable")]
        weights[order[:count], 2 * component] = 1.0
        weights[order[-count:], 2 * component + 1] = 1.0
    return weights


def sums_of(frames: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sums of the frames of a block that have a weight (columns, *shape), and how many hold data.

    Examples
    --------
    >>> total, number = sums_of(np.array([[1.0, 2.0], [3.0, np.nan]]), np.ones((2, 1)))
    >>> total.tolist(), number.tolist()
    ([[4.0, 2.0]], [[2.0, 1.0]])
    """
    shape = (weights.shape[1], *frames.shape[1:])
    total, number = np.zeros(shape), np.zeros(shape)
    for frame, row in zip(frames, weights, strict=True):
        known = np.isfinite(frame)
        for column in np.flatnonzero(row):
            total[column] += np.where(known, frame, 0.0)
            number[column] += known
    return total, number


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


def _in_squares(values: FloatArray, factor: int) -> FloatArray:
    """Sums over squares of pixels; what is left over at the end is cut off."""
    for axis in range(1, values.ndim):
        step = min(factor, values.shape[axis])
        count = values.shape[axis] // step
        kept = values[(slice(None),) * axis + (slice(count * step),)]
        values = kept.reshape(*values.shape[:axis], count, step, *values.shape[axis + 1 :])
        values = values.sum(axis=axis + 1)
    return values


def _tiles(values: FloatArray, side: int) -> FloatArray:
    for axis, length in enumerate(values.shape):
        values = np.asarray(np.add.reduceat(values, np.arange(0, length, side), axis=axis))
    return values


def _slopes(image: FloatArray) -> list[FloatArray]:
    return [
        np.asarray(np.gradient(image, axis=axis)) if image.shape[axis] > 1 else np.zeros_like(image)
        for axis in range(image.ndim)
    ]
