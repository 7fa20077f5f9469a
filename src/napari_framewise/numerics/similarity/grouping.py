"""What the scores of all pairs say together: a threshold, groups, an order, a tree."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

# Where a Gumbel distribution of place 0 and scale 1 has its lower quartile, median, upper quartile.
_LOWER, _MIDDLE = -0.32663425997828094, 0.36651292058166435
# Its quantiles that the scale is taken from: the upper quartile, and nine of ten.
_UPPER = {0.75: 1.2458993237072384, 0.9: 2.2503673273124454}
_FEWEST = 20
# Scores so far above the lower half that they are not taken for unrelated ones.
_BEYOND = 1e-3
# Chances of scores by which the tail is checked.
_TAIL = (1e-3, 1e-5)


@dataclass(frozen=True)
class Unrelated:
    """How the scores of unrelated pairs are distributed: a Gumbel distribution, that of maxima.

    Attributes
    ----------
    place, scale : float
    pairs : int
        Number of pairs that it was taken from.
    """

    place: float
    scale: float
    pairs: int

    @classmethod
    def of(cls, scores: NDArray[np.float64], pairs: int | None = None) -> Unrelated | None:
        """From all scores, half of which at least must be of unrelated pairs.

        The lower half says which scores stand far above the others; the median of what is left and
        its upper quartile, or where nine of ten end, whichever lies farther out, give the
        distribution: unrelated images of several kinds have a heavier tail. None with fewer than
        20 scores, or where they are equal.
        Of very many pairs the scores of some drawn at random serve, with how many there are.

        Examples
        --------
        >>> found = Unrelated.of(np.random.default_rng(0).gumbel(0.2, 0.05, 10_000))
        >>> round(found.place, 2), round(found.scale, 2)
        (0.2, 0.05)
        """
        known = scores[np.isfinite(scores)]
        if len(known) < _FEWEST:
            return None
        lower, middle = np.quantile(known, (0.25, 0.5))
        scale = (middle - lower) / (_MIDDLE - _LOWER)
        far = middle - scale * (_MIDDLE + np.log(_BEYOND))
        rest = known[known <= far]
        middle = np.quantile(rest, 0.5)
        upper = {share: np.quantile(rest, share) - middle for share in _UPPER}
        scale = max(upper[share] / (place - _MIDDLE) for share, place in _UPPER.items())
        if not scale > 0:
            return None
        return cls(float(middle - scale * _MIDDLE), float(scale), pairs or len(known))

    def expected(self, threshold: float) -> float:
        """Unrelated pairs that score at least so much, of as many as there are."""
        return -self.pairs * math.expm1(-math.exp(-(threshold - self.place) / self.scale))

    def level(self, chance: float) -> float:
        """The score that an unrelated pair reaches with that chance, or rounding less.

        Examples
        --------
        >>> found = Unrelated(0.2, 0.05, 1)
        >>> round(found.expected(found.level(0.1)), 6)
        0.1
        """
        return self.place - self.scale * math.log(-math.log1p(-chance)) - 1e-9 * self.scale

    def tail(self, scores: NDArray[np.float64]) -> tuple[int, float]:
        """Scores that unrelated pairs reach with chances of 1e-5 to 1e-3, and how many should.

        Many more than expected show that the distribution does not hold so far out.

        Examples
        --------
        >>> scores = np.random.default_rng(2).gumbel(0.2, 0.05, 100_000)
        >>> found, expected = Unrelated.of(scores).tail(scores)
        >>> 0.5 < found / expected < 1.5
        True
        """
        low, high = (self.level(chance) for chance in _TAIL)
        inside = int(((scores >= low) & (scores < high)).sum())
        return inside, (_TAIL[0] - _TAIL[1]) * len(scores)

    def threshold(self, scores: NDArray[np.float64], share: float) -> float | None:
        """The lowest score above which at most a share of the pairs are expected to be unrelated.

        None where there is none. As Benjamini & Hochberg (1995) with probabilities from this
        distribution.

        Examples
        --------
        >>> rng = np.random.default_rng(1)
        >>> scores = np.concatenate([rng.gumbel(0.2, 0.05, 5000), np.full(50, 0.95)])
        >>> 0.5 < Unrelated.of(scores).threshold(scores, 0.05) <= 0.95
        True
        """
        ordered, shares = self._shares(scores)
        passed = np.flatnonzero(shares <= share)
        return float(ordered[passed[-1]]) if len(passed) else None

    def least_share(self, scores: NDArray[np.float64]) -> tuple[float, float]:
        """The least share that gives a threshold, and that threshold.

        Infinite and NaN without scores.

        Examples
        --------
        >>> found = Unrelated(0.3, 0.07, 10_000)
        >>> share, level = found.least_share(np.array([0.2, 0.3, 0.9, 0.95]))
        >>> found.threshold(np.array([0.2, 0.3, 0.9, 0.95]), share) == level
        True
        """
        ordered, shares = self._shares(scores)
        if not len(ordered):
            return math.inf, math.nan
        last = len(shares) - 1 - int(shares[::-1].argmin())
        return float(shares[last]), float(ordered[last])

    def _shares(
        self, scores: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scores, the best first, and the share of those down to each that may be unrelated."""
        ordered = np.sort(scores[np.isfinite(scores)])[::-1]
        chances = -np.expm1(-np.exp(-(ordered - self.place) / self.scale))
        return ordered, self.pairs * chances / np.arange(1, len(ordered) + 1)


def groups_of(n: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of the group of each of n images, from 1, the largest first; 0 for what has none.

    Examples
    --------
    >>> groups_of(5, np.array([[0, 3], [3, 4]])).tolist()
    [1, 0, 0, 1, 1]
    """
    links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, labels = connected_components(links, directed=False)
    sizes = np.bincount(labels, minlength=1)
    found = np.zeros(n, np.int64)
    ranked = [label for label in np.argsort(-sizes, kind="stable") if sizes[label] > 1]
    for number, label in enumerate(ranked, 1):
        found[labels == label] = number
    return found


def spanning(n: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most n - 1 pairs that connect the images that these pairs connect.

    Examples
    --------
    >>> spanning(5, np.array([[0, 3], [3, 4], [0, 4]])).tolist()
    [[0, 3], [0, 4]]
    """
    links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, labels = connected_components(links, directed=False)
    _, firsts = np.unique(labels, return_index=True)
    own = firsts[labels]
    others = np.flatnonzero(own != np.arange(n))
    return np.stack([own[others], others], axis=1)


def tree_of(apart: NDArray[np.float64]) -> NDArray[np.float64]:
    """Merges of images by average linkage (n - 1, 4), as SciPy has them.

    Parameters
    ----------
    apart : (n, n)
        Symmetric distances; NaN as the largest one.

    Examples
    --------
    >>> tree_of(np.array([[0.0, 1.0, 4.0], [1.0, 0.0, 6.0], [4.0, 6.0, 0.0]])).tolist()
    [[0.0, 1.0, 1.0, 2.0], [2.0, 3.0, 5.0, 3.0]]
    """
    known = apart[np.isfinite(apart)]
    far = float(known.max()) if len(known) else 1.0
    filled = np.where(np.isfinite(apart), apart, far)
    np.fill_diagonal(filled, 0.0)
    return np.asarray(linkage(squareform(filled, checks=False), "average"))


def order_of(tree: NDArray[np.float64]) -> NDArray[np.int64]:
    """Leaves of a tree from left to right.

    Examples
    --------
    >>> order_of(np.array([[0.0, 2.0, 1.0, 2.0], [1.0, 3.0, 5.0, 3.0]])).tolist()
    [1, 0, 2]
    """
    return np.asarray(leaves_list(tree), np.int64)
