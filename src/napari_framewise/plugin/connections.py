"""Connections to events of the viewer, undone together when a widget goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtWidgets import QWidget


class Connections:
    """Callbacks on events that outlive the widget which listens to them."""

    def __init__(self, owner: QWidget | None = None) -> None:
        self._made: list[tuple[Any, Callable[..., Any]]] = []
        if owner is not None:
            owner.destroyed.connect(self.undo)

    def connect(self, emitter: Any, callback: Callable[..., Any]) -> None:
        """Call `callback` whenever `emitter` emits."""
        emitter.connect(callback)
        self._made.append((emitter, callback))

    def undo(self) -> None:
        """Stop listening to everything."""
        while self._made:
            emitter, callback = self._made.pop()
            emitter.disconnect(callback)
