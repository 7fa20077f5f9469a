"""What is said of regions: their mean and deviation from frame to frame."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from napari_framewise.framework.outcome import Curve, Plot, Table
from napari_framewise.framework.regions import Region
from napari_framewise.numerics import statistics as numerics
from napari_framewise.stacks.source import Array
from napari_framewise.tools.common.scaling import by_channel

_CURVES = 10
_NAMED = 5


def region_table(
    columns: dict[str, Array],
    notes: dict[str, str],
    names: tuple[str, ...],
    regions: tuple[Region, ...],
    found: tuple[numerics.Moments, ...],
) -> Table:
    """One row per frame: mean, deviation and pixels of every region and channel."""
    for title, note in (
        ("mean", "Mean inside region {}."),
        ("std", "Standard deviation inside region {}, divisor N."),
        ("pixels", "Pixels with data inside region {}."),
    ):
        for region, moments in zip(regions, found, strict=True):
            values = {"mean": moments.mean, "std": moments.std(), "pixels": moments.count}[title]
            for channel, suffix in enumerate(_suffixes(names)):
                column = f"{title}_{region.number}{suffix}"
                columns[column] = values[:, channel]
                notes[column] = note.format(region.number)
    return Table("regions", "frame", columns, notes)


def region_plot(names: tuple[str, ...], regions: tuple[Region, ...], table: Table) -> Plot:
    """The mean of the first regions against the frame, or against time where it is known."""
    abscissa = "time" if "time" in table.columns else "frame"
    curves = [
        Curve(f"mean_{region.number}{suffix}", None, f"region {region.number} {suffix[1:]}".strip())
        for region in regions
        for suffix in _suffixes(names)
    ]
    return Plot(
        "Mean of each region",
        table.name,
        abscissa,
        tuple(curves[:_CURVES]),
        table.notes[abscissa].rstrip(".") if abscissa == "time" else "Frame",
        "Mean",
    )


def region_summary(
    names: tuple[str, ...], regions: tuple[Region, ...], found: tuple[numerics.Moments, ...]
) -> str:
    """The mean of the first regions over the frames with data, in words."""
    said = [
        f"{region.number}: {by_channel(names, texts, ', ')}"
        for region, texts in zip(regions, _means(found), strict=True)
    ]
    more = f" and {len(said) - _NAMED:,} more" if len(said) > _NAMED else ""
    return f"Mean of region {'; '.join(said[:_NAMED])}{more}."


def empty_regions(
    regions: tuple[Region, ...], found: tuple[numerics.Moments, ...]
) -> tuple[str, ...]:
    """Regions without a pixel of data in any frame."""
    empty = [
        str(region.number)
        for region, moments in zip(regions, found, strict=True)
        if not moments.count.any()
    ]
    if not empty:
        return ()
    named = ", ".join(empty[:_NAMED]) + (" ..." if len(empty) > _NAMED else "")
    plural = "s" if len(empty) > 1 else ""
    said = (
        f"{len(empty):,} region{plural} held no pixel with data ({named}): outside the frames, "
        "outside the mask, or NaN."
    )
    return (said,)


def _suffixes(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"_{name}" for name in names) or ("",)


def _means(found: tuple[numerics.Moments, ...]) -> Iterator[list[str]]:
    for moments in found:
        known = moments.count > 0
        total = np.where(known, moments.mean, 0).sum(axis=0)
        yield [
            f"{value / count:.6g}" if count else "no data"
            for value, count in zip(total, known.sum(axis=0), strict=True)
        ]
