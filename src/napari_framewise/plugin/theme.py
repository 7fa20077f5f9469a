"""The colours of napari's theme, for what is not drawn by Qt."""

from __future__ import annotations

from dataclasses import dataclass

from napari.utils.theme import get_theme

# Okabe and Ito's colours, told apart by all eyes; yellow only where the ground is dark.
_ON_DARK = ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#8fa2ff", "#bbbbbb")
_ON_LIGHT = ("#0072b2", "#d55e00", "#009e73", "#8a6d00", "#a8487f", "#3b7ea8", "#5f4bb6", "#555555")


@dataclass(frozen=True)
class Colours:
    """What a plot is drawn in, as #rrggbb."""

    ground: str
    text: str
    grid: str
    cursor: str
    cycle: tuple[str, ...]


PRINT = Colours("#ffffff", "#000000", "#cccccc", "#000000", _ON_LIGHT)


def colours_of(theme: str) -> Colours:
    """The colours of a napari theme."""
    look = get_theme(theme)
    dark = sum(look.background.as_rgb_tuple()[:3]) < 3 * 128
    return Colours(
        look.background.as_hex("long"),
        look.text.as_hex("long"),
        look.secondary.as_hex("long"),
        look.text.as_hex("long"),
        _ON_DARK if dark else _ON_LIGHT,
    )
