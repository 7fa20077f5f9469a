"""Plots: no extreme is lost, gaps stay gaps, a click finds its row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from pytestqt.qtbot import QtBot

from napari_framewise.framework.outcome import Curve, Plot, Table
from napari_framewise.plugin.results.plots import Curves, PlotCanvas, envelope
from napari_framewise.plugin.theme import PRINT, colours_of

PLOT = Plot(
    "Coefficient", "t", "frame", (Curve("x", "half", "x1"), Curve("y")), "frame", "x", "95 %"
)


def table(n: int, seed: int = 0) -> Table:
    rng = np.random.default_rng(seed)
    return Table(
        "t",
        "frame",
        {
            "frame": np.arange(n),
            "x": rng.normal(size=n),
            "half": rng.random(n),
            "y": rng.normal(size=n),
        },
    )


@given(
    st.integers(1, 3000), st.integers(1, 80), st.integers(0, 9), st.sampled_from([0.0, 0.3, 1.0])
)
def test_no_extreme_is_lost(n: int, columns: int, seed: int, missing: float) -> None:
    rng = np.random.default_rng(seed)
    y, error = rng.normal(size=n), rng.random(n)
    y[rng.random(n) < missing] = np.nan
    x = np.arange(n, dtype=float)
    xs, ys, low, high = envelope(x, y, y - error, y + error, columns)
    assert len(xs) == len(ys) == len(low) == len(high) <= max(n, 8 * columns)
    assert np.all(np.diff(xs) >= 0)
    if np.isnan(y).all():
        assert np.isnan(ys).all()
        return
    assert np.nanmin(ys) == np.nanmin(y)
    assert np.nanmax(ys) == np.nanmax(y)
    assert np.nanmin(low) == np.nanmin(y - error)
    assert np.nanmax(high) == np.nanmax(y + error)


def test_a_long_gap_stays_a_gap() -> None:
    x = np.arange(10_000.0)
    y = np.where((x > 3000) & (x < 6000), np.nan, np.sin(x))
    xs, ys, _, _ = envelope(x, y, y, y, 500)
    assert np.isnan(ys[(xs > 3100) & (xs < 5900)]).all()
    assert not np.isnan(ys[(xs < 2900) | (xs > 6100)]).any()


def test_rows_are_found_where_the_abscissa_is_out_of_order() -> None:
    shuffled = Table("t", "frame", {"frame": np.array([30.0, 10, 20]), "y": np.array([3.0, 1, 2])})
    curves = Curves(Figure().add_subplot(), Plot("p", "t", "frame", (Curve("y"),)), shuffled, PRINT)
    assert [curves.row_at(x) for x in (-5, 14, 16, 24, 26, 99)] == [1, 1, 2, 2, 0, 0]


def test_the_ordinate_fits_what_is_in_view() -> None:
    n = 200
    steep = Table("t", "frame", {"frame": np.arange(n), "y": np.where(np.arange(n) < 100, 1.0, 50)})
    axes = Figure().add_subplot()
    curves = Curves(axes, Plot("p", "t", "frame", (Curve("y"),)), steep, PRINT)
    assert axes.get_ylim()[1] > 50
    curves.view(0, 80)
    assert 1 < axes.get_ylim()[1] < 2
    curves.whole_view()
    assert axes.get_ylim()[1] > 50


@pytest.mark.parametrize("n", [0, 1, 5, 96_108])
def test_any_number_of_rows_is_drawn(qtbot: QtBot, n: int) -> None:
    canvas = PlotCanvas(colours_of("dark"))
    qtbot.addWidget(canvas)
    canvas.show_plot(PLOT, table(n))
    canvas.draw()
    canvas.show_row(n - 1)
    canvas.show_row(None)
    drawn = canvas.figure.axes[0].lines[0].get_xdata()
    assert len(drawn) <= 5000


def test_a_column_without_a_number_is_drawn_empty(qtbot: QtBot) -> None:
    canvas = PlotCanvas(colours_of("light"))
    qtbot.addWidget(canvas)
    nothing = np.full(5, np.nan)
    empty = {"frame": np.arange(5), "x": nothing, "half": nothing, "y": nothing}
    canvas.show_plot(PLOT, Table("t", "frame", empty))
    canvas.draw()
    canvas.show_row(2)


def test_a_click_picks_the_nearest_row_and_a_wheel_zooms(qtbot: QtBot) -> None:
    canvas = PlotCanvas(colours_of("dark"))
    qtbot.addWidget(canvas)
    canvas.resize(400, 300)
    canvas.show_plot(PLOT, table(50))
    canvas.draw()
    axes = canvas.figure.axes[0]
    x, y = axes.transData.transform((17.2, 0.0))
    with qtbot.waitSignal(canvas.row_picked) as picked:
        canvas.callbacks.process("button_press_event", _mouse(canvas, "button_press_event", x, y))
    assert picked.args == [17]
    before = np.diff(axes.get_xlim())
    event = _mouse(canvas, "scroll_event", x, y)
    event.step = 1
    canvas.callbacks.process("scroll_event", event)
    assert np.diff(axes.get_xlim()) < before
    event = _mouse(canvas, "button_press_event", x, y)
    event.dblclick = True
    canvas.callbacks.process("button_press_event", event)
    np.testing.assert_allclose(np.diff(axes.get_xlim()), before)


def _mouse(canvas: PlotCanvas, name: str, x: float, y: float):
    from matplotlib.backend_bases import MouseEvent

    return MouseEvent(name, canvas, x, y, button=1)


@pytest.mark.parametrize(
    ("ending", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")]
)
def test_a_plot_is_saved(qtbot: QtBot, tmp_path: Path, ending: str, start: bytes) -> None:
    canvas = PlotCanvas(colours_of("dark"))
    qtbot.addWidget(canvas)
    canvas.show_plot(PLOT, table(500))
    path = tmp_path / f"plot.{ending}"
    canvas.save(path)
    assert path.read_bytes().startswith(start)


def test_a_plot_takes_the_colours_of_the_theme(qtbot: QtBot) -> None:
    dark, light = colours_of("dark"), colours_of("light")
    assert dark.ground != light.ground
    assert dark.cycle != light.cycle
    canvas = PlotCanvas(dark)
    qtbot.addWidget(canvas)
    canvas.show_plot(PLOT, table(20))
    canvas.recolour(light)
    from matplotlib.colors import to_hex

    assert to_hex(canvas.figure.get_facecolor()) == light.ground
    assert to_hex(canvas.figure.axes[0].title.get_color()) == light.text


@pytest.mark.parametrize("offset", [0.0, 270.0, -4321.0])
def test_numbers_beside_the_plot_never_push_its_label_off_the_canvas(
    qtbot: QtBot, offset: float
) -> None:
    canvas = PlotCanvas(colours_of("dark"))
    qtbot.addWidget(canvas)
    canvas.resize(300, 220)
    canvas.show()
    rising = np.linspace(offset, offset + 4.5, 40)
    values = {**table(40).columns, "x": rising, "y": rising}
    canvas.show_plot(PLOT, Table("t", "frame", values))
    canvas.draw()
    axes = canvas.figure.axes[0]
    assert axes.yaxis.get_tightbbox(canvas.get_renderer()).x0 >= 0
    assert axes.bbox.width > 150


def test_a_curve_has_as_many_points_as_the_plot_has_pixels(qtbot: QtBot) -> None:
    canvas = PlotCanvas(PRINT)
    qtbot.addWidget(canvas)
    canvas.resize(370, 260)
    canvas.show()
    canvas.show_plot(PLOT, table(60_000))
    assert isinstance(canvas._drawing, Curves)
    line, _ = canvas._drawing._drawn[0]
    width = canvas._drawing.axes.bbox.width
    assert width < len(line.get_xdata()) <= 2.2 * width
    few = len(line.get_xdata())
    canvas._drawing.view(20_000, 50_000)
    canvas.resize(1200, 260)
    qtbot.waitUntil(lambda: len(line.get_xdata()) > 2.5 * few)
    assert canvas._drawing.axes.get_xlim() == (20_000, 50_000)
