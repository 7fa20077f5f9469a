"""What a run has so far: shown while it goes on, and taken where it is stopped."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

from napari_framewise.framework.outcome import Outcome, Table


@dataclass(frozen=True, eq=False)
class Partial:
    """An outcome so far, which a run yields from time to time between its progress.

    Whoever takes it may keep it: arrays that the run goes on writing to are handed out as copies.

    Attributes
    ----------
    outcome : Outcome
        Layers, tables and plots under the names that they have in the end.
    """

    outcome: Outcome

    def text(self) -> str:
        """The newest number: "residual = 0.0123 at iteration 7"; empty where there is none."""
        for plot in self.outcome.plots:
            table = self.outcome.table(plot.table)
            for curve in plot.curves:
                said = _newest(table, plot.x, curve.y)
                if said:
                    return said
        return ""


def _newest(table: Table, x: str, y: str) -> str:
    """The last row's value in a column, and where along another it stands."""
    if not len(table) or y not in table.columns:
        return ""
    value = table.columns[y][-1].item()
    if not isinstance(value, Real):
        return ""
    at = f" at {x} {table.columns[x][-1].item():.6g}" if _is_number(table, x) else ""
    return f"{y} = {value:.4g}{at}"


def _is_number(table: Table, name: str) -> bool:
    return name in table.columns and table.columns[name].dtype.kind in "iuf"
