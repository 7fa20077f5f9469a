"""One ordered path for each outline, peeled off one after the other, its gaps bridged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_framewise.numerics.curves.kernels import cheapest_path
from napari_framewise.numerics.curves.missed import missed_stretch
from napari_framewise.numerics.curves.strength import OutlineStrength

Array = NDArray[np.float64]
Ways = NDArray[np.int64]
"""Rows at which a path enters and leaves each column, (x, 2)."""
WayPoints = Sequence[Sequence[tuple[float, float]]]

MOST = 32
"""Outlines that are looked for where their number is left open."""
SEEN = 4.0
"""Strength, in deviations of the noise, from which an outline counts as seen."""
_NOTHING, _WORTH = 2.5, 2.5
_GROUND = 0.02
_TIMES_CHANCE = 1.5
_SCRAMBLED = 3
_SWEEPS = 6
_APART = 2
_FORBIDDEN = 1e6
_CROSSING = 3.0


@dataclass(frozen=True, eq=False)
class Path:
    """One outline, from the first column to the last.

    Attributes
    ----------
    ways : (x, 2) int64
        Row at which the path enters each column, and at which it leaves it.
    share : float
        Share of its length that is seen: a strength of at least 4.
    chance : float
        That share of the best path where columns are shifted at random.
    """

    ways: Ways
    share: float
    chance: float

    @property
    def rows(self) -> Array:
        """Middle row of the path in each column, (x,)."""
        return np.asarray(self.ways.mean(axis=1), np.float64)

    @property
    def pixels(self) -> NDArray[np.int64]:
        """All pixels (n, 2), row and column, in order."""
        parts = []
        for column, (first, last) in enumerate(self.ways.tolist()):
            way = 1 if last >= first else -1
            rows = np.arange(first, last + way, way)
            parts.append(np.stack([rows, np.full(len(rows), column)], axis=1))
        return np.concatenate(parts)

    def passes(self, points: Sequence[tuple[float, float]]) -> bool:
        """Whether it passes within a pixel of all of some points (y, x)."""
        return all(
            self.ways[round(x)].min() - 1.0 <= y <= self.ways[round(x)].max() + 1.0
            for y, x in points
        )


def outline_paths(
    strength: OutlineStrength,
    count: int | None = None,
    *,
    separation: float = 4.0,
    least_seen: float = 0.5,
    way_points: WayPoints = (),
) -> tuple[Path, ...]:
    """The outlines that run from the first column to the last, from top to bottom.

    Parameters
    ----------
    strength : OutlineStrength
    count : int, optional
        Number of outlines; by default as many as there are of which enough is seen.
    separation : float
        Pixels around a path that belong to it.
    least_seen : float
        Share of its length along which an outline must be seen where the number is left open; at
        least 1.5 times what the best path has where columns are shifted at random, in any case.
    way_points : sequence of sequences of (y, x), optional
        Points that an outline passes through, a sequence for each such outline.

    Returns
    -------
    tuple of Path
        Sorted by their mean row. Fewer than `count` where nothing is left.

    Raises
    ------
    ValueError
        Where a way-point lies outside, or there are more outlines than rows.

    Notes
    -----
    A path is the smallest sum of ``exp(-max(s - 2.5, 0) / 2.5)`` over the length that it passes, s
    being the strength, and of 0.02 for the length itself; found exactly by dynamic programming
    (Cohen & Kimmel 1997, *Int. J. Computer Vision* 24, 57-78, on the grid of pixels). It never
    turns back along columns, but climbs as steeply as it must. What belongs to a path counts
    nothing for the next one. Outlines are taken not to cross, as boundaries of layers don't: in the
    end each is looked for again between its neighbours, and what is then not seen enough is left
    out. A stretch that is seen, but that no path took, is given to each of its neighbours in turn;
    paths stay so where the sum over all of them, each pixel counted once, becomes smaller.

    Examples
    --------
    >>> from napari_framewise.numerics.curves import outline_strength
    >>> frame = np.random.default_rng(0).normal(0, 0.1, (60, 80))
    >>> frame[15] -= 2
    >>> frame[40] -= 2
    >>> found = outline_paths(outline_strength(frame))
    >>> [path.rows[40].item() for path in found]
    [15.0, 40.0]
    """
    rows = strength.strength.shape[0]
    if count is not None and not 0 < count <= rows:
        raise ValueError(
            f"{count} outlines were asked for in a frame of {rows} rows; give 1 or more, and no "
            "more than rows."
        )
    _check(way_points, strength.strength.shape)
    given = np.ascontiguousarray(strength.strength.T)
    score = 1.0 - np.exp(-np.maximum(given - _NOTHING, 0.0) / _WORTH)
    seen = given >= SEEN
    chance = _by_chance(score, seen) if seen.any() else 1.0
    wanted = max(least_seen, _TIMES_CHANCE * chance)
    left, visible = score.copy(), seen.copy()
    found: list[Ways] = []
    for number in range(min(MOST, rows) if count is None else count):
        forced = way_points[number] if number < len(way_points) else ()
        if not (forced or left.any()):
            break
        ways = _best(left, forced)
        # What is seen of it may belong to several outlines: it is judged when they are in order.
        if not forced and count is None and _share(visible, ways) < wanted / 2:
            break
        found.append(ways)
        for field in (left, visible):
            field[_around(ways, rows, separation)] = 0
    found = _in_order(score, found, separation, way_points)
    while count is None and found:
        shares = [
            np.inf if _holds(ways, way_points) else _share(seen & ~_others(found, k, rows), ways)
            for k, ways in enumerate(found)
        ]
        worst = int(np.argmin(shares))
        if shares[worst] >= wanted:
            break
        found = _in_order(score, found[:worst] + found[worst + 1 :], separation, way_points)
    found = _with_missed(score, found, separation, way_points)
    paths = [Path(ways, _share(seen, ways), chance) for ways in found]
    return tuple(sorted(paths, key=lambda path: float(path.rows.mean())))


def _in_order(
    score: Array, found: Sequence[Ways], separation: float, way_points: WayPoints
) -> list[Ways]:
    """Paths that do not cross: each looked for again between its neighbours, until none moves.

    Peeled one by one, a path jumps to its neighbour where it has a gap, and the next one back.
    """
    if len(found) < 2:
        return list(found)
    middles = np.sort([each.mean(axis=1) for each in found], axis=0)
    paths = [np.stack([each, each], axis=1).round().astype(np.int64) for each in middles]
    at = np.arange(score.shape[1])
    # The way-points of a path go with the one that runs nearest to them.
    points: list[list[tuple[float, float]]] = [[] for _ in paths]
    for group in way_points:
        away = [sum(abs(ways[round(x)].mean() - y) for y, x in group) for ways in paths]
        points[int(np.argmin(away))] += group
    for _ in range(_SWEEPS):
        before = np.array(paths)
        for number in range(len(paths)):
            between, beyond = score.copy(), np.zeros(score.shape, bool)
            for other in (number - 1, number + 1):
                if not 0 <= other < len(paths):
                    continue
                between[_around(paths[other], len(at), separation)] = 0
                if other < number:
                    beyond |= at < paths[other].max(axis=1)[:, np.newaxis] + _APART
                else:
                    beyond |= at > paths[other].min(axis=1)[:, np.newaxis] - _APART
            paths[number] = _best(between, points[number], beyond)
        if np.array_equal(before, paths):
            break
    return paths


def _with_missed(
    score: Array, found: list[Ways], separation: float, way_points: WayPoints
) -> list[Ways]:
    """Paths once more, led through a stretch that none of them took, where that is cheaper.

    Where a path cuts a high bead short along its neighbour, the neighbour has nothing left but its
    own neighbour, and none of them alone can do better.
    """
    for _ in range(len(found) - 1):
        left = score.copy()
        for ways in found:
            left[_around(ways, score.shape[1], separation)] = 0
        stretch = missed_stretch(left, _best(left))
        if not stretch:
            break
        row, column = stretch[len(stretch) // 2]
        order = np.argsort([abs(ways[round(column)].mean() - row) for ways in found])
        before, better = _together(score, found, separation), None
        for number in order[:2]:
            free = left.copy()
            near = _around(found[number], score.shape[1], separation)
            free[near] = score[near]
            led = [*found[:number], _best(free, stretch), *found[number + 1 :]]
            led = _in_order(score, led, separation, [*way_points, stretch])
            led = _in_order(score, led, separation, way_points)
            after = _together(score, led, separation)
            if after < before:
                before, better = after, led
        if better is None:
            break
        found = better
    return found


def _together(score: Array, found: Sequence[Ways], separation: float) -> float:
    """Cost of all paths, of which each finds nothing where those above it were."""
    left, total = score.copy(), 0.0
    for ways in found:
        pixels = Path(ways, 0.0, 0.0).pixels
        total += float((1.0 + _GROUND - left[pixels[:, 1], pixels[:, 0]]).sum())
        left[_around(ways, score.shape[1], separation)] = 0
    return total


def _best(
    score: Array,
    points: Sequence[tuple[float, float]] = (),
    beyond: NDArray[np.bool_] | None = None,
) -> Ways:
    """The cheapest path through its way-points, with as little as can be of what lies beyond."""
    length, rows = score.shape
    cost = 1.0 + _GROUND - score
    if beyond is not None:
        cost[beyond] = _CROSSING
    at = np.arange(rows)
    for y, x in points:
        cost[round(x), np.abs(at - y) > 1.0] = _FORBIDDEN
    ways = np.zeros((length, 2), np.int64)
    scratch = np.zeros((3, rows)), np.zeros((length, rows), np.int32)
    cheapest_path(cost, *scratch, np.zeros((length, rows), np.int8), ways)
    return ways


def _share(seen: NDArray[np.bool_], ways: Ways) -> float:
    """Share of a path's length that is seen."""
    pixels = Path(ways, 0.0, 0.0).pixels
    return float(seen[pixels[:, 1], pixels[:, 0]].mean())


def _by_chance(score: Array, seen: NDArray[np.bool_]) -> float:
    """What is seen of the best path where each column is shifted at random: the largest of 3."""
    rng = np.random.default_rng(0)
    length, rows = score.shape
    shares = []
    for _ in range(_SCRAMBLED):
        index = (np.arange(rows) + rng.integers(0, rows, (length, 1))) % rows
        ways = _best(np.take_along_axis(score, index, axis=1))
        shares.append(_share(np.take_along_axis(seen, index, axis=1), ways))
    return max(shares)


def _around(ways: Ways, rows: int, separation: float) -> NDArray[np.bool_]:
    """Pixels within a distance of a path, (x, y)."""
    at = np.arange(rows)
    low, high = ways.min(axis=1)[:, np.newaxis], ways.max(axis=1)[:, np.newaxis]
    near = np.zeros((len(ways), rows), bool)
    first = max(0, int(low.min()) - int(separation) - 1)
    part = slice(first, int(high.max()) + int(separation) + 2)
    passed = (at[part] >= low) & (at[part] <= high)
    near[:, part] = ndimage.distance_transform_edt(~passed) <= separation
    return near


def _others(found: Sequence[Ways], number: int, rows: int) -> NDArray[np.bool_]:
    """Pixels that belong to the neighbours of a path."""
    taken = np.zeros((len(found[number]), rows), bool)
    for other in (number - 1, number + 1):
        if 0 <= other < len(found):
            taken |= _around(found[other], rows, 1.0)
    return taken


def _holds(ways: Ways, way_points: WayPoints) -> bool:
    """Whether a path passes through the points of a sequence."""
    path = Path(ways, 0.0, 0.0)
    return any(group and path.passes(group) for group in way_points)


def _check(way_points: WayPoints, shape: tuple[int, ...]) -> None:
    for y, x in (point for points in way_points for point in points):
        inside = np.isfinite([y, x]).all() and 0 <= round(y) < shape[0] and 0 <= round(x) < shape[1]
        if not inside:
            raise ValueError(
                f"A way-point lies at row {y:g}, column {x:g}, outside of a frame of {shape[0]} x "
                f"{shape[1]}; move it inside."
            )
