"""Scatters, histograms and trees: what they show is what the table holds, and rows are found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from pytestqt.qtbot import QtBot
from scipy.cluster.hierarchy import dendrogram, linkage

from napari_framewise.framework.outcome import Curve, Plot, PlotKind, Table
from napari_framewise.plugin.results.plot_choice import PlotChoice
from napari_framewise.plugin.results.plots import PlotCanvas
from napari_framewise.plugin.results.plots.canvas import drawing_of
from napari_framewise.plugin.results.plots.histogram import Histogram
from napari_framewise.plugin.results.plots.scatter import Scatter
from napari_framewise.plugin.results.plots.tree import Tree
from napari_framewise.plugin.theme import PRINT, colours_of

KINDS: tuple[PlotKind, ...] = ("curve", "scatter", "histogram", "tree")


def table_of(n: int) -> Table:
    rng = np.random.default_rng(n)
    columns = {"frame": np.arange(n), "a": rng.normal(3, 1, n), "b": rng.lognormal(size=n)}
    return Table("t", "frame", columns, {"a": "Column a, in counts."})


def plot_of(kind: PlotKind, **options: object) -> Plot:
    curves = (Curve("first"), Curve("second")) if kind == "tree" else (Curve("a"), Curve("b"))
    x = "height" if kind == "tree" else "frame"
    return Plot("p", "t", x, curves, kind=kind, **options)


def merges(n: int) -> Table:
    points = np.random.default_rng(n).normal(size=(n, 2))
    found = linkage(points, "average")
    names = ("first", "second", "height", "count")
    return Table("t", "object", dict(zip(names, found.T, strict=True)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize("n", [0, 1, 700])
def test_every_kind_draws_any_number_of_rows(
    qtbot: QtBot, kind: PlotKind, logarithmic: bool, n: int
) -> None:
    canvas = PlotCanvas(colours_of("dark"))
    qtbot.addWidget(canvas)
    table = merges(n + 2) if kind == "tree" else table_of(n)
    options = {} if kind == "tree" else {"log_x": logarithmic, "log_y": logarithmic}
    canvas.show_plot(plot_of(kind, **options), table)
    canvas.draw()
    for row in (0, n - 1, None):
        canvas.show_row(row)
        canvas.grab()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_saved(qtbot: QtBot, tmp_path: Path, kind: PlotKind) -> None:
    canvas = PlotCanvas(colours_of("dark"))
    qtbot.addWidget(canvas)
    canvas.show_plot(plot_of(kind), merges(9) if kind == "tree" else table_of(9))
    canvas.save(tmp_path / "plot.svg")
    assert (tmp_path / "plot.svg").stat().st_size > 1000


def test_a_scatter_finds_the_row_of_a_point_on_the_screen() -> None:
    table = table_of(50)
    drawing = drawing_of(Figure().add_subplot(), plot_of("scatter"), table, PRINT)
    for row in (0, 17, 49):
        assert drawing.row_at(row + 0.1, table.columns["a"][row]) == row
        mark = drawing.mark_of(row)
        assert mark is not None
        assert (mark.x, mark.y) == (row, table.columns["a"][row])


def test_a_scatter_of_many_rows_keeps_its_outline() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 96_108))
    table = Table("t", "frame", {"x": x, "y": y})
    plot = Plot("p", "t", "x", (Curve("y"),), kind="scatter")
    drawing = drawing_of(Figure().add_subplot(), plot, table, PRINT)
    assert isinstance(drawing, Scatter)
    (line,) = drawing.axes.lines
    shown = np.stack(line.get_data())
    assert shown.shape[1] < 60_000
    cell = np.ptp([x, y], axis=1) / (300, 200)
    for extreme, full, reach in zip(shown, (x, y), cell, strict=True):
        assert extreme.min() - full.min() <= reach
        assert full.max() - extreme.max() <= reach
    drawing.view(-0.1, 0.1)
    assert np.abs(line.get_xdata()).max() <= 0.1


def test_a_histogram_counts_every_number_once() -> None:
    table = table_of(1000)
    table.columns["a"][:10] = np.nan
    drawing = drawing_of(Figure().add_subplot(), plot_of("histogram"), table, PRINT)
    assert isinstance(drawing, Histogram)
    assert [counts.sum() for counts in drawing.counts] == [990, 1000]
    row = drawing.row_at(3.0, 0)
    assert row is not None
    assert abs(table.columns["a"][row] - 3.0) == np.nanmin(np.abs(table.columns["a"] - 3.0))


def test_integers_are_counted_each_for_itself() -> None:
    table = Table("t", "frame", {"n": np.array([1, 1, 2, 5, 5, 5])})
    plot = Plot("p", "t", "", (Curve("n"),), kind="histogram")
    drawing = drawing_of(Figure().add_subplot(), plot, table, PRINT)
    assert isinstance(drawing, Histogram)
    middles = (drawing.edges[1:] + drawing.edges[:-1]) / 2
    counted = dict(zip(middles.tolist(), drawing.counts[0].tolist(), strict=True))
    assert {value: count for value, count in counted.items() if count} == {1: 2, 2: 1, 5: 3}


@pytest.mark.parametrize("n", [2, 3, 30])
def test_a_tree_is_scipy_s(n: int) -> None:
    table = merges(n)
    found = np.stack(list(table.columns.values()), axis=1)
    wanted = dendrogram(found, no_plot=True)
    drawing = drawing_of(Figure().add_subplot(), plot_of("tree"), table, PRINT)
    assert isinstance(drawing, Tree)
    assert sorted(drawing.order) == list(range(n))
    ours = np.sort(drawing._brackets[..., 1].max(axis=1))
    np.testing.assert_allclose(ours, np.sort(np.max(wanted["dcoord"], axis=1)))
    # No two branches cross: every merge takes up neighbours.
    groups = {leaf: {int(drawing._place[leaf])} for leaf in range(n)}
    for number, (first, second) in enumerate(found[:, :2].astype(int)):
        groups[n + number] = groups[first] | groups[second]
        assert np.ptp(list(groups[n + number])) == len(groups[n + number]) - 1


def test_a_leaf_is_a_row_of_its_own_table(qtbot: QtBot) -> None:
    leaves = Table("files", "object", {"file": np.array(["a.tif", "b.tif", "c.tif"])})
    table = Table("t", "object", {"first": [0, 3], "second": [2, 1], "height": [1.0, 2.0]})
    axes = Figure().add_subplot()
    drawing = drawing_of(axes, plot_of("tree", leaves="files"), table, PRINT, leaves)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a.tif", "c.tif", "b.tif"]
    assert [drawing.row_at(x, 0) for x in (0.1, 0.9, 2.2)] == [0, 2, 1]


def test_deep_trees_are_drawn_too() -> None:
    n = 5000
    chain = np.arange(n - 2) + n
    table = Table(
        "t",
        "object",
        {"first": np.r_[0, chain], "second": np.arange(1, n), "height": np.arange(1.0, n)},
    )
    drawing = drawing_of(Figure().add_subplot(), plot_of("tree"), table, PRINT)
    assert isinstance(drawing, Tree)
    assert len(drawing.order) == n


def test_columns_kind_and_axes_are_a_choice(qtbot: QtBot) -> None:
    choice = PlotChoice()
    qtbot.addWidget(choice)
    table = table_of(9)
    plot = Plot("p", "t", "frame", (Curve("a"),), "frame number", "a [counts]")

    def take(*path: str) -> Plot:
        menu = choice.menu()
        for title in path[:-1]:
            menu = next(e.menu() for e in menu.actions() if e.text() == title)
        with qtbot.waitSignal(choice.chosen) as chosen:
            next(entry for entry in menu.actions() if entry.text() == path[-1]).trigger()
        choice.offer(chosen.args[0], table)
        return chosen.args[0]

    choice.offer(plot, table)
    assert [curve.y for curve in take("Ordinate", "b").curves] == ["a", "b"]
    only_b = take("Ordinate", "a")
    assert [curve.y for curve in only_b.curves] == ["b"]
    assert only_b.y_label == "b"
    assert take("Abscissa", "a").x_label == ""
    assert take("Scatter").kind == "scatter"
    assert take("Logarithmic ordinate").log_y
    assert take("Histogram").kind == "histogram"
    assert take("Curves").kind == "curve"
    back = take("Abscissa", "frame")
    assert (back.x, back.x_label) == ("frame", "frame number")
    choice.offer(plot_of("tree"), merges(3))
    assert choice.isHidden()
