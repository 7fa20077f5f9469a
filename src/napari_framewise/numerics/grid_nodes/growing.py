"""A lattice through scattered places: rows and columns counted from neighbour to neighbour."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]
_STEPS = ((0, 1), (1, 0), (0, -1), (-1, 0))
_TOLERANCE, _SEEDS, _NEIGHBOURS = 0.22, 40, 9
_ENOUGH = 0.6
_LEAST_SHARE, _LEAST_REGULAR = 0.4, 0.06
_FEW, _SHARE_OF_FEW = 12, 0.75
FEWEST = 4
"""Fewest nodes, two by two, that are a lattice."""


@dataclass(frozen=True, eq=False)
class Lattice:
    """Places with their row and column.

    Attributes
    ----------
    chosen : (n,) int64
        Which of the places given are nodes.
    index : (n, 2) int64
        Row and column of each, both from 0: rows run down, columns to the right.
    steps : (n, 2, 2) float64
        At each node the way to the next row, and to the next column, in pixels.
    """

    chosen: IntArray
    index: IntArray
    steps: Array

    @property
    def pitch(self) -> Array:
        """Distance to the nearest next node, by the steps, (n,)."""
        return np.asarray(np.sqrt((self.steps**2).sum(axis=2)).min(axis=1))


def lattice_of(places: Array, strengths: Array | None = None) -> Lattice | None:
    """The largest lattice through scattered places; None where there is none of 2 x 2.

    From a place whose two nearest neighbours, across from each other, are repeated around it, rows
    and columns are counted from node to node; each step is predicted by the last, so the lattice
    may bend. A gap of one node is stepped over.

    Parameters
    ----------
    places : (n, 2) float
        In pixels. Some may be missing, some may be no nodes.
    strengths : (n,) float, optional
        The strongest are tried first as a beginning.

    Examples
    --------
    >>> grid = np.stack(np.meshgrid([0.0, 10, 20], [5.0, 15], indexing="ij"), -1).reshape(-1, 2)
    >>> lattice_of(grid).index.tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]]
    """
    if len(places) < FEWEST:
        return None
    tree = cKDTree(places)
    order = np.arange(len(places)) if strengths is None else np.argsort(-strengths, kind="stable")
    # Strong places all over the image, not all in one corner of it.
    stride = max(1, len(order) // (2 * _SEEDS))
    seeds = np.concatenate([order[: _SEEDS // 2], order[::stride][:_SEEDS]])
    best: dict[tuple[int, int], int] = {}
    for seed in seeds:
        if seed in best.values():
            continue
        basis = _basis(places, tree, int(seed))
        if basis is None:
            continue
        grown = _grown(places, tree, int(seed), basis)
        best = grown if len(grown) > len(best) else best
        if len(best) > _ENOUGH * len(places):
            break
    found = _counted(places, best)
    return found if found is not None and np.ptp(found.index, axis=0).min() > 0 else None


def is_regular(places: Array, found: Lattice) -> bool:
    """Whether a lattice is one, not places of noise that happen to lie in rows.

    Most nodes lie in the middle of their neighbours, and few other places lie between them.
    """
    own = places[found.chosen]
    inside = (places >= own.min(axis=0)) & (places <= own.max(axis=0))
    share = _SHARE_OF_FEW if len(own) < _FEW else _LEAST_SHARE
    if len(own) < share * inside.all(axis=1).sum():
        return False
    misfits = triples(own, found.index)
    if not len(misfits):
        return len(own) == len(places)
    typical = np.median(np.hypot(*misfits.T))
    return bool(typical < _LEAST_REGULAR * np.median(found.pitch))


def triples(places: Array, index: IntArray) -> Array:
    """How far each node lies from the middle of two, along rows, columns and diagonals, (m, 2).

    Examples
    --------
    >>> triples(np.array([[0.0, 0], [0, 4], [0, 10]]), np.array([[0, 0], [0, 1], [0, 2]])).tolist()
    [[0.0, -1.0]]
    """
    known = {(int(r), int(c)): k for k, (r, c) in enumerate(index)}
    misfits = []
    for (row, column), k in known.items():
        for down, right in ((1, 0), (0, 1), (1, 1)):
            before = known.get((row - down, column - right))
            behind = known.get((row + down, column + right))
            if before is not None and behind is not None:
                misfits.append(places[k] - (places[before] + places[behind]) / 2)
    return np.array(misfits).reshape(-1, 2)


def counted(places: Array, index: IntArray) -> Lattice:
    """The lattice of nodes whose row and column are known, steps found from neighbours.

    Examples
    --------
    >>> index = np.argwhere(np.ones((3, 3)))
    >>> counted(index * 7.0, index).index.shape
    (9, 2)
    """
    known = {(int(r), int(c)): k for k, (r, c) in enumerate(index)}
    return Lattice(np.arange(len(places)), np.asarray(index, np.int64), _steps(places, known))


def _basis(places: Array, tree: cKDTree, seed: int) -> Array | None:
    """Two steps that lead from a place to others, and on from there."""
    _, near = tree.query(places[seed], k=min(_NEIGHBOURS, len(places)))
    ways = places[near[1:]] - places[seed]  # type: ignore[index]
    lengths = np.sqrt((ways**2).sum(axis=1))
    first = ways[0]
    for way, length in zip(ways[1:], lengths[1:], strict=True):
        sine = abs(first[0] * way[1] - first[1] * way[0]) / (lengths[0] * length)
        if sine < 0.5 or length > 2 * lengths[0]:
            continue
        basis = _shortest(first, way)
        corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1], [-1, 0], [0, -1]]) @ basis
        away, _ = tree.query(places[seed] + corners)
        if (away < _TOLERANCE * lengths[0]).sum() >= (2 if len(places) > 8 else 1):
            return basis
    return None


def _shortest(first: Array, second: Array) -> Array:
    """The shortest two steps of the lattice that two steps span (Gauss's reduction)."""
    while True:
        if first @ first > second @ second:
            first, second = second, first
        times = np.rint(first @ second / (first @ first))
        if times == 0:
            return np.stack([first, second])
        second = second - times * first


def _grown(places: Array, tree: cKDTree, seed: int, basis: Array) -> dict[tuple[int, int], int]:
    """Nodes by row and column, counted from a seed."""
    nodes = {(0, 0): seed}
    bases = {(0, 0): basis}
    taken = {seed}
    for reach in (1, 2):
        waiting = deque(nodes)
        while waiting:
            here = waiting.popleft()
            at, own = places[nodes[here]], bases[here]
            for step in _STEPS:
                there = (here[0] + reach * step[0], here[1] + reach * step[1])
                if there in nodes:
                    continue
                way = step[0] * own[0] + step[1] * own[1]
                away, found = tree.query(at + reach * way)
                if away > _TOLERANCE * np.sqrt(way @ way) or found in taken:
                    continue
                nodes[there] = int(found)
                taken.add(int(found))
                new = own.copy()
                axis = 0 if step[0] else 1
                measured = (places[found] - at) / reach * (step[0] + step[1])
                new[axis] = measured
                # The other step as the neighbour on that side has it, where it is measured.
                bases[there] = _blended(new, there, nodes, places, axis)
                waiting.append(there)
    return nodes


def _blended(
    basis: Array,
    node: tuple[int, int],
    nodes: dict[tuple[int, int], int],
    places: Array,
    axis: int,
) -> Array:
    other = 1 - axis
    for sign in (-1, 1):
        beside = (node[0] + sign * (other == 0), node[1] + sign * (other == 1))
        if beside in nodes:
            basis[other] = -sign * (places[nodes[node]] - places[nodes[beside]])
            break
    return basis


def _counted(places: Array, nodes: dict[tuple[int, int], int]) -> Lattice | None:
    """Rows down and columns to the right, from 0, without nodes that fit no neighbours."""
    if len(nodes) < FEWEST:
        return None
    kept = _fitting(places, nodes)
    if len(kept) < FEWEST:
        return None
    index = np.array(list(kept), dtype=np.int64)
    chosen = np.array(list(kept.values()), dtype=np.int64)
    basis = np.median(_steps(places, kept), axis=0)
    if abs(basis[0, 0]) < abs(basis[1, 0]):
        index, basis = index[:, ::-1], basis[::-1]
    index = index * np.where([basis[0, 0] < 0, basis[1, 1] < 0], -1, 1)
    index = index - index.min(axis=0)
    order = np.lexsort((index[:, 1], index[:, 0]))
    index, chosen = index[order], chosen[order]
    known = {(int(r), int(c)): int(k) for (r, c), k in zip(index, chosen, strict=True)}
    return Lattice(chosen, index, _steps(places, known))


def _fitting(places: Array, nodes: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    kept = {}
    for node, number in nodes.items():
        misfits, lengths = [], []
        for down, right in ((1, 0), (0, 1)):
            before = nodes.get((node[0] - down, node[1] - right))
            behind = nodes.get((node[0] + down, node[1] + right))
            if before is not None and behind is not None:
                misfits.append(places[number] - (places[before] + places[behind]) / 2)
                lengths.append(np.linalg.norm(places[behind] - places[before]) / 2)
        off = [np.linalg.norm(m) > 0.2 * n for m, n in zip(misfits, lengths, strict=True)]
        if not (off and all(off)):
            kept[node] = number
    return kept


def _steps(places: Array, nodes: dict[tuple[int, int], int]) -> Array:
    """Way to the next row and column at each node, (n, 2, 2): the mean of both sides.

    Where there are no neighbours that of most nodes; 0 where no node has any.
    """
    steps = np.full((len(nodes), 2, 2), np.nan)
    for k, ((row, column), number) in enumerate(nodes.items()):
        for axis in (0, 1):
            ways = []
            for sign in (-1, 1):
                beside = (row + sign * (axis == 0), column + sign * (axis == 1))
                if beside in nodes:
                    ways.append(sign * (places[nodes[beside]] - places[number]))
            if ways:
                steps[k, axis] = np.mean(ways, axis=0)
    for axis in (0, 1):
        known = np.isfinite(steps[:, axis, 0])
        usual = np.median(steps[known, axis], axis=0) if known.any() else np.zeros(2)
        steps[~known, axis] = usual
    return steps
