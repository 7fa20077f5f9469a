"""A run as the panel sees it: started, shown on the bar, stopped, its answer handed on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from qtpy.QtCore import QObject, Signal

from napari_framewise.framework.partial import Partial
from napari_framewise.plugin.running.run_bar import RunBar
from napari_framewise.plugin.running.runner import Failure, Runner, Steps

_log = logging.getLogger(__name__)


class SoFar(Protocol):
    """What becomes of partial results."""

    def show(self, partial: Any) -> None:
        """Show one in place of the one before."""

    def take(self, partial: Any) -> None:
        """Take one as what the run gave: it was stopped."""

    def drop(self) -> None:
        """Leave nothing of them: the run was cancelled, or failed."""


class RunControl(QObject):
    """Runs one generator at a time and tells the bar how it goes."""

    finished = Signal()

    def __init__(self, name: str, bar: RunBar, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name, self._bar = name, bar
        self._runner = Runner(self)
        self._runner.progressed.connect(bar.show_progress)
        self._runner.so_far.connect(self._so_far)
        self._runner.returned.connect(self._returned)
        self._runner.stopped.connect(self._stopped)
        self._runner.failed.connect(self._failed)
        self._runner.cancelled.connect(self._cancelled)
        self._runner.warned.connect(_log.warning)
        self._runner.finished.connect(self._finished)

    @property
    def running(self) -> bool:
        """Whether a run goes on."""
        return self._runner.running

    def start(
        self, make: Callable[[], Steps], take: Callable[[Any], None], so_far: SoFar | None = None
    ) -> None:
        """Run what `make` gives in a thread, and hand its answer to `take` in this one.

        Partial results go to `so_far`.
        """
        self._take, self._of_partials = take, so_far
        self._bar.say("")
        self._bar.set_running(True)
        if self._runner.leaving:
            self._bar.say("Starting; what was cancelled still ends beside it")
        self._runner.start(make)

    def cancel(self) -> None:
        """Stop what is under way; nothing of it is kept."""
        self._bar.show_ending("Cancelling")
        self._runner.cancel()

    def stop(self) -> None:
        """Stop what is under way, and take what it has so far."""
        self._bar.show_ending("Stopping")
        self._runner.stop()

    def close(self) -> None:
        """Stop what is under way without a word."""
        self._runner.close()

    def report(self, failure: Failure) -> None:
        """Say what went wrong, and log where."""
        level = logging.DEBUG if failure.expected else logging.ERROR
        _log.log(level, "%s: %s", self._name, failure.trace)
        self._bar.say(failure.sentence(), failure)

    def _so_far(self, partial: Partial) -> None:
        if self._of_partials is not None:
            self._of_partials.show(partial)
            self._bar.offer_stop()

    def _returned(self, answer: Any) -> None:
        self._take(answer)

    def _stopped(self, partial: Partial) -> None:
        if self._of_partials is not None:
            self._of_partials.take(partial)

    def _failed(self, failure: Failure) -> None:
        self._drop()
        self.report(failure)

    def _cancelled(self) -> None:
        self._drop()
        rest = " What was under way ends by itself and is dropped." if self._runner.leaving else ""
        self._bar.say(f"Cancelled; no layer was added.{rest}")

    def _drop(self) -> None:
        if self._of_partials is not None:
            self._of_partials.drop()

    def _finished(self) -> None:
        self._bar.set_running(False)
        self.finished.emit()
