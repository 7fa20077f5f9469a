"""Which images are the same: a threshold, given or from the distribution of all pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_framewise.numerics import similarity as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.tools.similarity.comparing import Comparison
from napari_framewise.tools.similarity.parameters import SimilarityParameters

# Pairs are spoken of where at most this share of them is expected to be unrelated.
_MOST_FALSE = 0.1
_ROUNDING = 1e-6
_BINS = 100
# So many times as many pairs in the tail as expected are said, where so many are expected.
_HEAVY, _LEAST_EXPECTED = 4, 3


def judged_by(how: Comparison, parameters: SimilarityParameters) -> str:
    """The column that the threshold is on."""
    return "z" if how.weighs and parameters.threshold is None else "score"


@dataclass(frozen=True, eq=False)
class Distribution:
    """How many pairs there are from edge to edge.

    Attributes
    ----------
    counts : (bins,) int
    edges : (bins + 1,) float64
    """

    counts: Array
    edges: Array

    @classmethod
    def of(cls, values: Array) -> Distribution:
        """Of these values, from the least to the largest."""
        return cls(*np.histogram(values, _BINS))

    @classmethod
    def between(cls, low: float, high: float) -> Distribution:
        """Of none yet."""
        return cls(*np.histogram(np.empty(0), _BINS, (low, high)))

    @property
    def middles(self) -> Array:
        """The middle of each bin."""
        return (self.edges[:-1] + self.edges[1:]) / 2

    def with_these(self, values: Array) -> Distribution:
        """With more of them, between the same edges."""
        more, _ = np.histogram(values, _BINS, (self.edges[0], self.edges[-1]))
        return Distribution(self.counts + more, self.edges)


def signed(scores: Any, how: Comparison) -> Any:
    """Scores of which large ones are alike."""
    return -scores if how.distance else scores


class Judgement:
    """A threshold, and where it comes from.

    What a threshold that was given is on is the score. The automatic one is on `z` where a best
    shift was looked for, for a high score over a small overlap says little.

    Parameters
    ----------
    columns : dict
        `score` and, where there is one, `z` of all pairs, or of the best ones.
    drawn : dict, optional
        Of pairs drawn at random, where not all are known.
    pairs : int, optional
        Number of all pairs then.
    """

    def __init__(
        self,
        columns: dict[str, Array],
        how: Comparison,
        parameters: SimilarityParameters,
        drawn: dict[str, Array] | None = None,
        pairs: int | None = None,
    ) -> None:
        self.how = how
        self.share = parameters.false_share
        self.chosen = parameters.threshold is None
        self.of_z = judged_by(how, parameters) == "z"
        self.values = self.judged(columns)
        base = self.values if drawn is None else self.judged(drawn)
        self.unrelated = numerics.Unrelated.of(base, pairs)
        self._tail = (0, 0.0) if self.unrelated is None else self.unrelated.tail(base)
        if parameters.threshold is not None:
            self.level: float | None = float(signed(parameters.threshold, how))
        elif self.unrelated is not None:
            self.level = self.unrelated.threshold(self.values, parameters.false_share)
        else:
            self.level = None

    def judged(self, columns: dict[str, Array]) -> Array:
        """What the threshold is on: large where images are the same."""
        return columns["z"] if self.of_z else np.asarray(signed(columns["score"], self.how))

    def same(self, columns: dict[str, Array]) -> Array:
        """Which pass."""
        values = self.judged(columns)
        if self.level is None:
            return np.zeros(np.shape(values), bool)
        # A matrix holds z in single precision, tables in double.
        level = self.level - _ROUNDING * abs(self.level) if self.of_z else self.level
        return np.asarray(values >= level)

    def distribution(self) -> Distribution:
        """Of the values that it was made from."""
        return Distribution.of(self.values if self.of_z else signed(self.values, self.how))

    def may_be_same(self, columns: dict[str, Array]) -> Array:
        """Which lie where a threshold that is worth saying may be found."""
        values = self.judged(columns)
        if self.unrelated is None:
            return np.zeros(np.shape(values), bool)
        return np.asarray(values >= self.unrelated.level(max(self.share, _MOST_FALSE)))

    def sentence(self, above: int) -> str:
        """The threshold in words."""
        if self.level is None:
            return self._none()
        said = f"{above:,} pair{'s' * (above != 1)} {self._reaching(self.level, above)}"
        if self.unrelated is None:
            return f"{said}."
        expected = self.unrelated.expected(self.level)
        return f"{said}; {expected:.2g} of as many unrelated pairs would."

    def doubts(self) -> tuple[str, ...]:
        """A sentence where unrelated pairs reach further than the False share says."""
        found, expected = self._tail
        if not self.chosen or expected < _LEAST_EXPECTED or found < _HEAVY * expected:
            return ()
        said = (
            f"{found:,} pairs lie between what one in 1,000 and one in 100,000 unrelated pairs "
            f"should reach, where {expected:.0f} are expected: images of several kinds, textures "
            "that repeat, or weakly related images. More pairs than the False share says may be "
            "false; look at those with the lowest z, or give a threshold."
        )
        return (said,)

    def undecided(self) -> bool:
        """Whether a larger false share, or a threshold that is given, would let some pairs pass."""
        if self.level is not None:
            return False
        if self.unrelated is None:
            return True
        return self.unrelated.least_share(self.values)[0] < _MOST_FALSE

    def _reaching(self, level: float, count: int) -> str:
        if self.of_z:
            return f"ha{'s' if count == 1 else 've'} a z of at least {level:.3g}"
        side = "at most" if self.how.distance else "at least"
        return f"score{'s' * (count == 1)} {side} {float(signed(level, self.how)):.3g}"

    def _none(self) -> str:
        """Why no pair is called the same, with the least false share that would call some so."""
        if self.unrelated is None:
            return "Too few different scores to choose a threshold by: give one."
        said = "No pair stands out from the others"
        share, level = self.unrelated.least_share(self.values)
        if not self.undecided():
            return f"{said}."
        count = int((self.values >= level).sum())
        return (
            f"{said} at this False share; {count:,} pair{'s' * (count != 1)} that "
            f"{self._reaching(level, count)} would from a False share of {share:.2g} on. A lower "
            "Largest shift leaves chance fewer places, or give a threshold."
        )
