"""What is measured of outlines: length, height, angles at the toes, the area between two."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from napari_framewise.numerics.curves.fitting import OutlineCurve

Array = NDArray[np.float64]

_DRAWS = 200
_CORNER = 0.02
"""Share of the height by which a curve must hang below the line to its end to have a toe inside."""
_FLANK = 0.5


@dataclass(frozen=True)
class Measure:
    """A value and its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class CurveMeasures:
    """Measures of an outline, in units of the pixels' height and width.

    Attributes
    ----------
    length : Measure
        Arc length between the first and the last column.
    height : Measure
        Largest distance from the base, the straight line through both ends, at right angles to it;
        below 0 where the outline hangs below its base.
    left, right : Measure
        Toe angles: degrees between the base and the outline where it is steepest between toe and
        half the height; of the sign of the height.
    left_toe, right_toe : Measure
        Distance of the toes from the first column, along columns.
    area : Measure
        Between this outline and the one below it; NaN without one.
    rms : Measure
        Root mean square of the residuals along the normal, outliers weighed as in the fit.
    """

    length: Measure
    height: Measure
    left: Measure
    right: Measure
    left_toe: Measure
    right_toe: Measure
    area: Measure
    rms: Measure


def curve_measures(
    curve: OutlineCurve,
    pixel: tuple[float, float] = (1.0, 1.0),
    below: OutlineCurve | None = None,
) -> CurveMeasures:
    """Length, height, toe angles and area of an outline, with standard errors.

    Parameters
    ----------
    curve : OutlineCurve
        Rows grow downwards: above means smaller rows.
    pixel : (float, float)
        Height and width of a pixel in the unit of the results.
    below : OutlineCurve, optional
        The next outline, for the area between.

    Returns
    -------
    CurveMeasures
        Errors are standard deviations over 200 curves drawn from the fit's posterior (Wahba 1983),
        with the same random numbers every time; they assume independent errors of the sightings.

    Notes
    -----
    A toe is where the outline hangs farthest below the straight line from its end to its summit
    (the corner of Zack, Rogers & Latt 1977, *J. Histochem. Cytochem.* 25, 741-753), or the end
    itself where it hangs below that line by less than 2 % of the height.

    Examples
    --------
    >>> from napari_framewise.numerics.curves import Sightings, outline_curve
    >>> x = np.arange(0.0, 101.0, 2.0)
    >>> roof = Sightings(x, 60 - 0.75 * np.minimum(x, 100 - x), np.ones(51), 2.0)
    >>> found = curve_measures(outline_curve(roof, (0, 100), "pieces", 2))
    >>> round(found.length.value), round(found.left.value)
    (125, 37)
    """
    first, last = curve.span
    x = np.linspace(first, last, max(2, int(np.ceil(last - first)) + 1))
    rows = np.concatenate([curve.values(x)[None], curve.draws(x, _DRAWS)])
    others = None
    if below is not None:
        others = np.concatenate([below.values(x)[None], below.draws(x, _DRAWS, seed=1)])
    height, width = pixel
    step = width * (x[1] - x[0])
    table = np.array([_measured(-height * row, step) for row in rows])
    area = np.full(len(rows), np.nan)
    if others is not None:
        area = height * step * np.trapezoid(np.abs(others - rows), axis=1)
    # The first is the fit itself, the others are draws.
    values = [*table.T, area]
    measures = [Measure(float(each[0]), float(each[1:].std(ddof=1))) for each in values]
    names = [each.name for each in fields(CurveMeasures)]
    return CurveMeasures(**dict(zip(names, [*measures, _rms(curve, height)], strict=True)))


def _rms(curve: OutlineCurve, height: float) -> Measure:
    weights = curve.trust * curve.sightings.weights
    known = float(curve.trust.sum())
    if not known > curve.freedom:
        return Measure(float("nan"), float("nan"))
    square = float((weights * curve.residuals**2).sum()) / known
    rms = height * float(np.sqrt(square))
    return Measure(rms, rms / float(np.sqrt(2 * (known - curve.freedom))))


def _measured(y: Array, step: float) -> tuple[float, ...]:
    """Length, height, angles and places of the toes of one curve, y growing upwards."""
    x = np.asarray(step * np.arange(len(y)), np.float64)
    length = float(np.hypot(np.diff(y), step).sum())
    ends = _above(x, y, 0, len(y) - 1)
    top = int(np.abs(ends).argmax())
    sign = 1.0 if ends[top] >= 0 else -1.0
    left = _toe(x, sign * y, 0, top)
    right = _toe(x, sign * y, len(y) - 1, top)
    if right <= left:
        return length, 0.0, 0.0, 0.0, float(x[0]), float(x[-1])
    heights, summit = sign * ends, top
    height = float(heights[summit])
    base = float(np.arctan2(y[-1] - y[0], x[-1] - x[0]))
    angles = np.degrees(sign * (np.arctan(np.diff(y) / step) - base))
    up = _steepest(angles[left:summit], heights[left:summit], height)
    down = _steepest(-angles[summit:right][::-1], heights[summit + 1 : right + 1][::-1], height)
    return length, sign * height, sign * up, sign * down, float(x[left]), float(x[right])


def _above(x: Array, y: Array, first: int, last: int) -> Array:
    """Distance above the straight line through two points of a curve, at right angles."""
    slope = (y[last] - y[first]) / (x[last] - x[first])
    return np.asarray((y - y[first] - slope * (x - x[first])) / np.hypot(1.0, slope))


def _toe(x: Array, y: Array, end: int, top: int) -> int:
    """Index of the toe between an end and the summit."""
    if abs(top - end) < 2:
        return end
    low, high = min(end, top), max(end, top)
    hang = -_above(x, y, low, high)[low : high + 1]
    corner = int(hang.argmax())
    return low + corner if hang[corner] > _CORNER * abs(y[top] - y[end]) else end


def _steepest(angles: Array, heights: Array, height: float) -> float:
    flank = angles[heights <= _FLANK * height]
    return float(flank.max()) if flank.size else 0.0
