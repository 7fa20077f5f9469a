"""A run as the panel sees it: started, shown on the bar, stopped, its answer handed on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_framewise.engine.progress import Progress
from napari_framewise.plugin.running.run_bar import RunBar
from napari_framewise.plugin.running.runner import Failure, Runner

_log = logging.getLogger(__name__)


class RunControl(QObject):
    """Runs one generator at a time and tells the bar how it goes."""

    finished = Signal()

    def __init__(self, name: str, bar: RunBar, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name, self._bar = name, bar
        self._runner = Runner(self)
        self._runner.progressed.connect(bar.show_progress)
        self._runner.returned.connect(self._returned)
        self._runner.failed.connect(self.report)
        self._runner.cancelled.connect(self._cancelled)
        self._runner.warned.connect(_log.warning)
        self._runner.finished.connect(self._finished)

    @property
    def running(self) -> bool:
        """Whether a run goes on."""
        return self._runner.running

    def start(
        self, make: Callable[[], Generator[Progress, None, Any]], take: Callable[[Any], None]
    ) -> None:
        """Run what `make` gives in a thread, and hand its answer to `take` in this one."""
        self._take = take
        self._bar.say("")
        self._bar.set_running(True)
        self._runner.start(make)

    def cancel(self) -> None:
        """Stop what is under way; nothing of it is kept."""
        self._bar.show_cancelling()
        self._runner.cancel()

    def close(self) -> None:
        """Stop what is under way without a word."""
        self._runner.cancel()

    def report(self, failure: Failure) -> None:
        """Say what went wrong, and log where."""
        _log.error("%s: %s", self._name, failure.trace)
        self._bar.say(failure.sentence(), failure)

    def _returned(self, answer: Any) -> None:
        self._take(answer)

    def _cancelled(self) -> None:
        self._bar.say("Cancelled; no layer was added.")

    def _finished(self) -> None:
        self._bar.set_running(False)
        self.finished.emit()
