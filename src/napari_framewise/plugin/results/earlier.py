"""The last runs of a panel: what they gave in numbers, and with which parameters."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer

from napari_framewise.framework.outcome import Curve, Outcome, Plot, Table
from napari_framewise.plugin.layers.layers_in import stack_of_layer
from napari_framewise.plugin.results.record import Record
from napari_framewise.stacks.selection import Selection
from napari_framewise.stacks.stack import Stack

KEPT = 10


@dataclass(frozen=True, eq=False)
class EarlierRun:
    """A run without its layers and inputs, so that it holds no image in memory.

    Attributes
    ----------
    when : datetime
        When it ended.
    parameters : dict
        Plain values.
    outcome : Outcome
        Tables, plots, summary and diagnostics.
    """

    when: datetime
    parameters: dict[str, Any]
    outcome: Outcome
    _layer: Callable[[], Layer | None]
    _selection: Selection

    @classmethod
    def of(cls, record: Record) -> EarlierRun:
        """What is kept of a run that has just ended."""
        layer, stack = record.stack_layer, record.stack
        return cls(
            datetime.now(),
            record.parameters.model_dump(mode="json"),
            replace(record.outcome, layers=(), models=()),
            (lambda: None) if layer is None else weakref.ref(layer),
            Selection() if stack is None else stack.selection,
        )

    @property
    def layer(self) -> Layer | None:
        """The layer whose frames its rows are, where it is still there."""
        return self._layer()

    @property
    def stack(self) -> Stack | None:
        """The stack of that layer."""
        layer = self.layer
        if not isinstance(layer, Image | Labels):
            return None
        try:
            return stack_of_layer(layer).select(self._selection)
        except ValueError:
            return None


class EarlierRuns:
    """The last ten runs, the newest last."""

    def __init__(self) -> None:
        self.runs: deque[EarlierRun] = deque(maxlen=KEPT)

    def keep(self, record: Record) -> None:
        """Keep a run that has just ended; the oldest one goes."""
        self.runs.append(EarlierRun.of(record))

    def labels(self) -> list[str]:
        """A name for each: when it ended, and the parameters in which they differ."""
        runs = list(self.runs)
        differing = [
            name
            for name in (runs[0].parameters if runs else ())
            if any(run.parameters.get(name) != runs[0].parameters[name] for run in runs)
        ]
        names = []
        for run in runs:
            said = [f"{name} {_text(run.parameters.get(name))}" for name in differing]
            names.append(", ".join([f"{run.when:%H:%M:%S}", *said]))
        return [
            name if names.count(name) == 1 else f"{name} ({number})"
            for number, name in enumerate(names, 1)
        ]

    def compared(self) -> Outcome:
        """The first curve of every plot of the newest run, with those of all runs that have it.

        Raises
        ------
        ValueError
            Where no plot is shared by two runs.
        """
        named = list(zip(self.labels(), self.runs, strict=True))
        newest = self.runs[-1].outcome if self.runs else Outcome()
        tables, plots = [], []
        for plot in newest.plots:
            found = [(label, *at) for label, run in named if (at := _curve_of(run.outcome, plot))]
            if len(found) > 1:
                table = _joined(plot, found)
                tables.append(table)
                plots.append(
                    replace(
                        plot,
                        title=f"{plot.title}, compared",
                        table=table.name,
                        curves=tuple(Curve(label, label=label) for label, _, _ in found),
                        band="",
                    )
                )
        if not plots:
            raise ValueError("No curve is shared by two of the runs, so there is none to compare.")
        return Outcome(
            tables=tuple(tables), plots=tuple(plots), summary=f"{len(named)} runs compared."
        )


def _curve_of(outcome: Outcome, plot: Plot) -> tuple[np.ndarray, np.ndarray] | None:
    """Abscissa and values of a plot's first curve in another outcome, one value to each place."""
    table = next((each for each in outcome.tables if each.name == plot.table), None)
    wanted = {plot.x, plot.curves[0].y} if plot.curves and plot.kind == "curve" else set()
    if table is None or not wanted or not wanted <= table.columns.keys():
        return None
    x, y = table.columns[plot.x], table.columns[plot.curves[0].y]
    single = x.dtype.kind in "biuf" and len(np.unique(x)) == len(x)
    return (x, np.asarray(y, dtype=float)) if single else None


def _joined(plot: Plot, found: Sequence[tuple[str, np.ndarray, np.ndarray]]) -> Table:
    """One table with a column for each run; NaN where a run has no value."""
    places = np.unique(np.concatenate([x for _, x, _ in found]))
    columns: dict[str, np.ndarray] = {plot.x: places}
    for label, x, y in found:
        column = np.full(len(places), np.nan)
        column[np.searchsorted(places, x)] = y
        columns[label] = column
    return Table(f"{plot.table}, compared", "object", columns)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
