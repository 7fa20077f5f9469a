"""What is said of changes: tables, plot, sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_framewise.framework.frame_columns import frame_columns
from napari_framewise.framework.outcome import Curve, Plot, Table
from napari_framewise.stacks.source import Array
from napari_framewise.stacks.stack import Stack
from napari_framewise.tools.difference.blocks import Found

# Share of windows that nothing explains above which images don't show one scene: photographs with
# planted changes stay below 0.07, pairs of other photographs mostly above 0.2.
_FOREIGN = 0.15


def frame_table(stack: Stack, found: Sequence[Found]) -> Table:
    """A row per frame."""
    columns, notes = frame_columns(stack)
    for name, values, note in (
        ("regions", [len(each.area) for each in found], "Regions that changed."),
        ("changed", [each.changed for each in found], "Share of the pixels that changed."),
        ("p", [each.least_p for each in found], "Least p-value of a window."),
        ("shift", [each.shift for each in found], "Median displacement, pixels."),
        (
            "blur",
            [each.blur for each in found],
            "Sigma in pixels that the reference (positive) or the frame (negative) was blurred by.",
        ),
        ("noise", [each.noise for each in found], "Standard deviation of the difference's noise."),
        (
            "unexplained",
            [each.unexplained for each in found],
            "Share of the windows that noise and displacement don't explain.",
        ),
        ("pixels", [each.pixels for each in found], "Pixels that were compared."),
    ):
        columns[name], notes[name] = np.array(values), note
    return Table("changes", "frame", columns, notes)


def region_table(stack: Stack, found: Sequence[Found]) -> Table:
    """A row per region."""
    numbers = np.asarray(stack.frame_numbers)
    counts = [len(each.area) for each in found]
    centre, box = _stacked([each.centre for each in found], 2), _stacked([e.box for e in found], 4)
    columns: dict[str, Array] = {
        "frame": np.repeat(numbers, counts),
        "label": _joined([np.arange(1, count + 1) for count in counts]).astype(np.int64),
        "row": centre[:, 0],
        "column": centre[:, 1],
        "area": _joined([each.area for each in found]).astype(np.int64),
        "strength": _joined([each.strength for each in found]),
        "p": _joined([each.p for each in found]),
    }
    notes = {
        "frame": "Number of the frame.",
        "label": "Its number in the layer of regions.",
        "row": "Of its middle, pixels.",
        "column": "Of its middle, pixels.",
        "area": "Pixels.",
        "strength": "Largest measure in it.",
        "p": "Least p-value in it.",
    }
    for number, name in enumerate(("top", "bottom", "left", "right")):
        columns[name] = box[:, number].astype(np.int64)
        notes[name] = "Of its bounding box, pixels; bottom and right are behind the last."
    axes = stack.spatial_grid.axes
    if all(axis.unit not in ("", "pixel", "pixels") for axis in axes):
        size = abs(float(np.prod([axis.scale for axis in axes])))
        columns["area_in_units"] = columns["area"] * size
        notes["area_in_units"] = f"Its area in {axes[0].unit} x {axes[1].unit}."
    return Table("regions", "object", columns, notes)


def plot_of(table: Table) -> Plot:
    """The changed share against the frame."""
    abscissa = "time" if "time" in table.columns else "frame"
    label = table.notes[abscissa].rstrip(".") if abscissa == "time" else "Frame"
    return Plot(
        "Changed share of every frame", table.name, abscissa, (Curve("changed"),), label, "Share"
    )


def summary_of(stack: Stack, found: Sequence[Found], rate: float) -> str:
    """The result in words."""
    if not any(each.pixels for each in found):
        return f"{stack.name}: no pixel could be compared."
    regions = sum(len(each.area) for each in found)
    frames = sum(bool(len(each.area)) for each in found)
    if not regions:
        foreign = sum(each.unexplained > _FOREIGN for each in found)
        if foreign == len(found):
            return f"{stack.name}: no region stands out, for the images differ over much of them."
        return (
            f"{stack.name}: nothing changed in {_frames(len(found) - foreign)}, at a false "
            f"discovery rate of {rate:g}."
        )
    most = max(found, key=lambda each: np.nan_to_num(each.changed))
    plural = "s" if regions > 1 else ""
    return (
        f"{stack.name}: {regions:,} region{plural} changed in {frames:,} of {_frames(len(found))}, "
        f"up to {100 * most.changed:.3g} % of the pixels, at a false discovery rate of {rate:g}."
    )


def diagnostics_of(stack: Stack, found: Sequence[Found], smallest: int = 16) -> tuple[str, ...]:
    """What should be known before the map is believed."""
    said = []
    if min(stack.spatial_shape) < smallest:
        said.append(
            f"{stack.name} has frames of {' x '.join(map(str, stack.spatial_shape))} pixels; 16 x "
            "16 or more are needed to tell a change from motion and noise."
        )
        return tuple(said)
    empty = [n for n, each in zip(stack.frame_numbers, found, strict=True) if not each.pixels]
    if empty:
        verb = "shares" if len(empty) == 1 else "share"
        said.append(
            f"{_frames(len(empty))} {verb} no pixel with data with the reference ({_named(empty)})."
        )
    foreign = [
        n for n, each in zip(stack.frame_numbers, found, strict=True) if each.unexplained > _FOREIGN
    ]
    if foreign:
        most = max(each.unexplained for each in found if each.pixels)
        said.append(
            f"In {_frames(len(foreign))} ({_named(foreign)}) noise and displacement leave much "
            f"unexplained, up to {100 * most:.0f} % of the windows: the images don't show one "
            "scene, or are displaced by more than is searched for. Regions are windows that stand "
            "out from the others there; the change map shows the rest."
        )
    wide = [each for each in found if each.changed > 0.2]
    if wide:
        said.append(
            f"In {_frames(len(wide))} more than 20 % of the pixels changed: p-values rest on the "
            "unchanged part, and are too large there."
        )
    return tuple(said)


def _named(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:5])) + (" ..." if len(numbers) > 5 else "")


def _frames(count: int) -> str:
    return f"{count:,} frame{'s' * (count != 1)}"


def _joined(parts: Sequence[Array]) -> Array:
    return np.concatenate(parts) if parts else np.empty(0)


def _stacked(parts: Sequence[Array], width: int) -> Array:
    return (
        np.concatenate([each.reshape(-1, width) for each in parts])
        if parts
        else np.empty((0, width))
    )
