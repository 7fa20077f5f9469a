"""Folds: what is seldom needed, out of the way until it is."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QWidget
from superqt import QCollapsible


def folded(title: str, widgets: Sequence[QWidget]) -> QCollapsible:
    """Widgets under a title that unfolds them."""
    fold = QCollapsible(title, expandedIcon="▼", collapsedIcon="▶")
    fold.setDuration(0)
    for widget in widgets:
        fold.addWidget(widget)
    fold.collapse(animate=False)
    return fold
