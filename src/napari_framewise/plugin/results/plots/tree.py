"""A tree of merges (dendrogram): which leaves come together, and at what height."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from napari_framewise.framework.outcome import Plot, Table
from napari_framewise.plugin.results.plots.drawing import Drawing, FloatArray, Mark, numbers
from napari_framewise.plugin.theme import Colours

_NAMED = 60
_NARROWEST = 1 / 2000


class Tree(Drawing):
    """Leaves side by side, and a bracket for each merge.

    `leaves` is the table with a row for each leaf; the names of its first column of texts, else
    the numbers of the leaves, stand under them.
    """

    def __init__(
        self, axes: Axes, plot: Plot, table: Table, colours: Colours, leaves: Table | None = None
    ) -> None:
        super().__init__(axes, plot, table, colours)
        axes.set_xlabel(plot.x_label, color=colours.text, fontsize=8)
        axes.set_ylabel(plot.y_label or plot.x, color=colours.text, fontsize=8)
        pairs = np.stack([numbers(table, curve.y) for curve in plot.curves[:2]], axis=1)
        self._count = len(table) + 1
        self.order = leaf_order(pairs.astype(np.int64), self._count)
        self._names = _names(leaves, self._count)
        self._place = np.empty(self._count)
        self._place[self.order] = np.arange(self._count)
        self._brackets = _brackets(pairs.astype(np.int64), numbers(table, plot.x), self._place)
        self._lines = LineCollection([], colors=self.colour(0), linewidths=1.0)
        axes.add_collection(self._lines)
        axes.grid(False, axis="x")
        self.whole_view()

    def whole_view(self) -> None:
        """Show the whole tree."""
        self.view(-0.5, self._count - 0.5)

    def view(self, first: float, last: float) -> None:
        """Show the leaves from place to place; names stand where there is room."""
        x, y = self._brackets[..., 0], self._brackets[..., 1]
        top = float(np.nanmax(y, initial=0.0)) or 1.0
        seen = (x[:, 3] >= first) & (x[:, 0] <= last)
        wide = x[:, 3] - x[:, 0] >= _NARROWEST * (last - first)
        seen &= wide | (y[:, 1] - np.minimum(y[:, 0], y[:, 3]) >= _NARROWEST * top)
        self._lines.set_segments(list(self._brackets[seen]))
        self.axes.set_xlim(first, last)
        low = float(np.nanmin(y, initial=0.0))
        self.axes.set_ylim(low, top * 1.06)
        shown = np.arange(max(0, int(np.ceil(first))), min(self._count, int(last) + 1))
        if len(shown) > _NAMED:
            shown = shown[:0]
        self.axes.set_xticks(shown)
        self.axes.set_xticklabels(
            [self._names[self.order[place]] for place in shown], rotation=90, fontsize=7
        )

    def row_at(self, x: float, y: float) -> int | None:
        """The leaf at a place."""
        place = round(x)
        return int(self.order[place]) if 0 <= place < self._count else None

    def mark_of(self, row: int) -> Mark | None:
        """A line at a leaf."""
        return Mark(float(self._place[row])) if 0 <= row < self._count else None


def leaf_order(pairs: np.ndarray, count: int) -> np.ndarray:
    """Leaves from left to right: the first of each pair stands left of the second."""
    order: list[int] = []
    # Every merge that no other takes up begins a tree of its own.
    taken = set(pairs.ravel().tolist())
    waiting = [node for node in range(count + len(pairs) - 1, -1, -1) if node not in taken][::-1]
    while waiting:
        node = waiting.pop()
        if node < count:
            order.append(node)
        else:
            first, second = pairs[node - count]
            waiting += [int(second), int(first)]
    return np.array(order, dtype=np.int64)


def _brackets(pairs: np.ndarray, heights: FloatArray, place: FloatArray) -> FloatArray:
    """Corners (merges, 4, 2) of each merge's bracket."""
    count = len(place)
    middle = np.concatenate([place, np.zeros(len(pairs))])
    height = np.concatenate([np.zeros(count), heights])
    corners = np.zeros((len(pairs), 4, 2))
    for number, (first, second) in enumerate(pairs):
        left, right = sorted((first, second), key=lambda node: middle[node])
        corners[number, :, 0] = middle[left], middle[left], middle[right], middle[right]
        corners[number, :, 1] = height[left], heights[number], heights[number], height[right]
        middle[count + number] = (middle[left] + middle[right]) / 2
    return corners


def _names(leaves: Table | None, count: int) -> list[str]:
    if leaves is not None and len(leaves) == count:
        for values in leaves.columns.values():
            if values.dtype.kind in "UOT":
                return [str(value) for value in values]
        if leaves.entity in leaves.columns:
            return [str(value) for value in leaves.columns[leaves.entity]]
    return [str(number) for number in range(count)]
