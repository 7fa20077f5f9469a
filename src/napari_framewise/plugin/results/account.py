"""Where the answer of a run is, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from napari.layers import Layer

from napari_framewise.plugin.results.record import Record


def account_of(record: Record, made: Mapping[str, Layer]) -> str:
    """What a run gave and where: "Done: plot and table in Result; S residual added, hidden"."""
    outcome = record.outcome
    parts = []
    if outcome.plots or outcome.tables:
        here = [
            noun if count == 1 else f"{noun}s"
            for noun, count in (("plot", len(outcome.plots)), ("table", len(outcome.tables)))
            if count
        ]
        parts.append(f"{_listed(here)} in Result")
    shown = [layer.name for layer in made.values() if layer.visible]
    hidden = [layer.name for layer in made.values() if not layer.visible]
    if shown:
        parts.append(f"{_listed(shown)} added")
    if hidden:
        parts.append(f"{_listed(hidden)} added, hidden")
    start = "Stopped" if record.unfinished else "Done"
    if not parts:
        return f"{start}: {outcome.summary or 'the run gave nothing to show.'}"
    return f"{start}: {'; '.join(parts)}."


def _listed(names: Sequence[str]) -> str:
    """Names as one would read them out; of many the first few."""
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more layers"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
