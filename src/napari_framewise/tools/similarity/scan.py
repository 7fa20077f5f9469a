"""What the pairs of a whole matrix say together, some rows at a time: memory may not hold it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import numpy as np

from napari_framewise.engine.progress import Progress
from napari_framewise.numerics import similarity as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.tools.similarity.comparing import Comparison
from napari_framewise.tools.similarity.judging import Distribution, Judgement, judged_by
from napari_framewise.tools.similarity.matrix import Matrices
from napari_framewise.tools.similarity.parameters import SimilarityParameters

# Of more pairs than these, so many drawn at random say how unrelated ones score.
_WHOLE, _DRAWN = 50_000_000, 5_000_000
_SEED = 20_262
_ROWS = 192
# Links between images that are held before those that connect nothing new are dropped.
_LINKS = 5_000_000


@dataclass(frozen=True, eq=False)
class Scan:
    """Pairs that could be compared, and were not left out.

    Attributes
    ----------
    pairs, same : int
        How many, and how many of them pass.
    judgement : Judgement
    distribution : Distribution
        Of what the threshold is on.
    limits : tuple of float
        Least and largest score.
    best : (k, 2) int
        The best ones, the very best first.
    groups : (n,) int
        The group of each image, from 1; 0: none.
    plain : (k,) int
        Images that can't be compared even with themselves: no contrast, or no data.
    """

    pairs: int
    same: int
    judgement: Judgement
    distribution: Distribution
    limits: tuple[float, float]
    best: Array
    groups: Array
    plain: Array


def scanned(
    matrices: Matrices, left_out: Array, how: Comparison, parameters: SimilarityParameters
) -> Generator[Progress, None, Scan]:
    """Judge every pair of a matrix.

    Parameters
    ----------
    left_out : (k, 2) int
        Places of pairs that take no part, the lower one first.
    """
    n = matrices.n
    name = judged_by(how, parameters)
    first = _First(name, how, n * (n - 1) // 2, parameters.listed)
    yield from _visited(matrices, left_out, how, first.visit, "Judging")
    sample = {name: np.concatenate([np.empty(0), *first.drawn])}
    if first.whole:
        judgement = Judgement(sample, how, parameters)
        distribution = judgement.distribution()
    else:
        drawn = Judgement(sample, how, parameters, pairs=first.pairs)
        second = _Second(drawn, name, Distribution.between(*first.limits[name]))
        yield from _visited(matrices, left_out, how, second.visit, "Finding the threshold")
        far = {name: np.concatenate(second.far)}
        judgement = Judgement(far, how, parameters, sample, first.pairs)
        distribution = second.distribution
    links = _Links(judgement, n)
    if judgement.level is not None:
        yield from _visited(matrices, left_out, how, links.visit, "Grouping")
    return Scan(
        first.pairs,
        links.count,
        judgement,
        distribution,
        first.limits["score"],
        first.best,
        numerics.groups_of(n, links.merged()),
        np.concatenate(first.plain),
    )


Visit = Callable[[Array, dict[str, Array], Array], None]


def _visited(
    matrices: Matrices, left_out: Array, how: Comparison, visit: Visit, label: str
) -> Generator[Progress, None, None]:
    """Show the pairs (k, 2) of some rows at a time, the second number running faster.

    With them goes which of those rows' images can't be compared even with themselves.
    """
    n = matrices.n
    for start in range(0, n, _ROWS):
        yield Progress(label, start, n, "images")
        part = slice(start, start + _ROWS), slice(start, n)
        score = np.asarray(matrices.score[part])
        plain = start + np.flatnonzero(~np.isfinite(np.diagonal(score)))
        counted = np.triu(np.isfinite(score), 1)
        mine = (left_out[:, 0] >= start) & (left_out[:, 0] < start + _ROWS)
        counted[tuple((left_out[mine] - start).T)] = False
        columns = {"score": score[counted]}
        if how.weighs:
            columns["z"] = np.asarray(matrices.weight[part])[counted].astype(np.float64)
        visit(np.argwhere(counted) + start, columns, plain)


@dataclass(eq=False)
class _First:
    """How many pairs there are, the best of them, and how they score."""

    name: str
    how: Comparison
    possible: int
    most: int
    pairs: int = 0
    drawn: list[Array] = field(default_factory=list)
    plain: list[Array] = field(default_factory=list)
    limits: dict[str, tuple[float, float]] = field(default_factory=dict)
    best: Array = field(default_factory=lambda: np.empty((0, 2), np.int64))

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(_SEED)
        self._near = np.empty(0)
        self.limits = dict.fromkeys(("score", "z"), (np.inf, -np.inf))

    @property
    def whole(self) -> bool:
        """Whether every pair is among those drawn."""
        return self.possible <= _WHOLE

    def visit(self, pairs: Array, columns: dict[str, Array], plain: Array) -> None:
        """Count some pairs in."""
        self.pairs += len(pairs)
        self.plain.append(plain)
        for name, values in columns.items():
            low, high = self.limits[name]
            self.limits[name] = (
                float(values.min(initial=low)), float(values.max(initial=high)),
            )  # fmt: skip
        values = columns[self.name]
        kept = values if self.whole else values[self._rng.random(len(values)) < self._share]
        self.drawn.append(kept)
        near = -values if self.how.distance and self.name == "score" else values
        if len(self._near) == self.most:
            better = near > self._near[-1]
            near, pairs = near[better], pairs[better]
        near = np.concatenate([self._near, near])
        order = np.argsort(-near, kind="stable")[: self.most]
        self._near, self.best = near[order], np.concatenate([self.best, pairs])[order]

    @property
    def _share(self) -> float:
        return _DRAWN / self.possible


@dataclass(eq=False)
class _Second:
    """The distribution of all pairs, and those that a threshold may lie among."""

    judgement: Judgement
    name: str
    distribution: Distribution
    far: list[Array] = field(default_factory=list)

    def visit(self, pairs: Array, columns: dict[str, Array], plain: Array) -> None:
        """Take some pairs in."""
        self.distribution = self.distribution.with_these(columns[self.name])
        self.far.append(columns[self.name][self.judgement.may_be_same(columns)])


@dataclass(eq=False)
class _Links:
    """Pairs that are the same."""

    judgement: Judgement
    n: int
    count: int = 0
    held: list[Array] = field(default_factory=lambda: [np.empty((0, 2), np.int64)])

    def visit(self, pairs: Array, columns: dict[str, Array], plain: Array) -> None:
        """Take in those of some pairs."""
        same = pairs[self.judgement.same(columns)]
        self.count += len(same)
        self.held.append(same)
        if sum(map(len, self.held)) > _LINKS:
            self.held = [numerics.spanning(self.n, self.merged())]

    def merged(self) -> Array:
        """All that connect."""
        return np.concatenate(self.held)
