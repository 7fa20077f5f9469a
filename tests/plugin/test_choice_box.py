"""Names in boxes of choices."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from napari_framewise.plugin.choice_box import ChoiceBox


def test_a_long_name_is_shortened_in_its_middle(qtbot: QtBot) -> None:
    box = ChoiceBox()
    qtbot.addWidget(box)
    name = "cells of the second plate, treated for twelve hours, channel 3"
    box.addItems([name, "short"])
    box.resize(160, 24)
    box.show()
    shown = box.shown_text()
    assert shown.startswith("cells")
    assert shown.endswith("3")
    assert "…" in shown
    assert box.fontMetrics().horizontalAdvance(shown) < 160
    box.resize(900, 24)
    assert box.shown_text() == name
    box.setCurrentIndex(1)
    box.resize(160, 24)
    assert box.shown_text() == "short"
    assert box.currentText() == "short"
