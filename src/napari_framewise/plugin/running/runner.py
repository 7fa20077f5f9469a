"""Runs in worker threads: one whole run, and the latest of many quick questions."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias

from qtpy.QtCore import QObject, QTimer, Signal
from superqt.utils import create_worker as create_quiet_worker

from napari_framewise.engine.progress import Notice, Progress
from napari_framewise.framework.partial import Partial
from napari_framewise.numerics.compiling import Abandoned
from napari_framewise.plugin.running.attempt import Attempt, Thread
from napari_framewise.plugin.running.failure import Failure

_YIELD_EVERY = 0.02
_REPORT_EVERY = 0.1
_SETTLE_MS = 20
_SO_FAR_MS = 200
# What a run may take to end by itself; Cancel is to answer within 100 ms.
_PATIENCE_MS = 40


Steps: TypeAlias = Generator[Progress | Partial | Notice, None, Any]


class Runner(QObject):
    """One long computation at a time.

    Exactly one of `returned`, `failed`, `stopped` and `cancelled` follows; before that `so_far`
    tells what the run has so far, five times a second at most. A computation that does not end at
    once where it is stopped or cancelled (kernels are being compiled, a frame can't be cut) is left
    to itself: what it comes to is dropped, and another may start meanwhile.
    """

    progressed = Signal(object)
    so_far = Signal(object)
    returned = Signal(object)
    stopped = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    warned = Signal(str)
    finished = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._attempt: Attempt | None = None
        self._left: weakref.WeakSet[Attempt] = weakref.WeakSet()
        self._cancelling = self._stopping = False
        self._newest = _Newest()
        self._told_partial: Partial | None = None
        self._look = QTimer(self)
        self._look.setInterval(_SO_FAR_MS)
        self._look.timeout.connect(self._tell_so_far)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MS)
        self._patience.timeout.connect(self._leave)

    @property
    def running(self) -> bool:
        """Whether a computation is under way."""
        return self._attempt is not None

    @property
    def leaving(self) -> bool:
        """Whether one that was left to itself has not ended yet."""
        return any(attempt.at_work for attempt in self._left)

    def start(self, make: Callable[[], Steps]) -> None:
        """Run the generator that `make` gives, in a thread.

        Parameters
        ----------
        make : callable
            Called in the thread too, so it may wait for a cluster.
        """
        if self.running:
            raise RuntimeError("a computation is under way already")
        self._cancelling = self._stopping = False
        self._told = 0.0
        self._newest, self._told_partial = _Newest(), None
        attempt = Attempt(_steps, make, self._newest)
        attempt.yielded.connect(self._progress)
        attempt.warned.connect(self.warned)
        attempt.ended.connect(self._finish)
        self._attempt = attempt
        attempt.start()
        self._look.start()

    def cancel(self) -> None:
        """Stop; what was computed so far is dropped."""
        if self._attempt is not None:
            self._cancelling = True
            self._end_soon(self._attempt)

    def stop(self) -> None:
        """Stop; the newest partial result is what the run gave."""
        if self._attempt is not None and self._newest.partial is not None:
            self._stopping = True
            self._end_soon(self._attempt)

    def close(self) -> None:
        """Cancel, because who asked is gone: what is being compiled is given up as well."""
        self.cancel()
        for attempt in (*self._left, *filter(None, [self._attempt])):
            attempt.give_up()

    def _end_soon(self, attempt: Attempt) -> None:
        attempt.quit()
        self._patience.start()

    def _leave(self) -> None:
        """Wait no longer for what was told to end."""
        attempt = self._attempt
        if attempt is not None:
            attempt.leave()
            self._left.add(attempt)
            self._finish(None)

    def _tell_so_far(self) -> None:
        newest = self._newest.partial
        if newest is not self._told_partial and not self._cancelling and not self._stopping:
            self._told_partial = newest
            self.so_far.emit(newest)

    def _progress(self, progress: Progress | Partial | Notice) -> None:
        if isinstance(progress, Partial | Notice):
            return
        # Every report paints the window, which takes longer than what it says is worth.
        now = time.monotonic()
        if not self._cancelling and now - self._told > _REPORT_EVERY:
            self._told = now
            self.progressed.emit(progress)

    def _finish(self, answer: Any) -> None:
        self._attempt = None
        newest, self._newest = self._newest.partial, _Newest()
        self._look.stop()
        self._patience.stop()
        if self._stopping and not self._cancelling and answer is None:
            self.stopped.emit(newest)
        elif self._cancelling or answer is None:
            self.cancelled.emit()
        elif isinstance(answer, Failure):
            self.failed.emit(answer)
        else:
            self.returned.emit(answer)
        self.finished.emit()


@dataclass
class _Newest:
    """The newest partial result of a run: put here in its thread, looked at in the window's."""

    partial: Partial | None = None


def _steps(make: Callable[[], Steps], newest: _Newest) -> Steps:
    """The steps of a run, not more often than a bar can show; an error as an answer."""
    told = 0.0
    try:
        steps = make()
        while True:
            try:
                report = next(steps)
            except StopIteration as stop:
                return stop.value
            if isinstance(report, Partial):
                newest.partial = report
            if time.monotonic() - told > _YIELD_EVERY:
                told = time.monotonic()
                try:
                    yield report
                except GeneratorExit:
                    steps.close()
                    raise
    except Abandoned:
        return None
    except Exception as error:  # noqa: BLE001 - whatever a tool raises becomes a sentence
        return Failure.of(error)


class Turns(QObject):
    """Actions that must be done in the main thread, one in each turn of its event loop."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: list[Callable[[], None]] = []
        self._timer = QTimer(self)
        self._timer.setInterval(1)
        self._timer.timeout.connect(self._turn)

    @property
    def busy(self) -> bool:
        """Whether something is still to be done."""
        return bool(self._waiting)

    def add(self, *actions: Callable[[], None]) -> None:
        """Do these after what is waiting."""
        self._waiting += actions
        self._timer.start()

    def stop(self) -> None:
        """Leave the rest undone."""
        self._waiting.clear()
        self._timer.stop()

    def _turn(self) -> None:
        if not self._waiting:
            self._timer.stop()
            return
        action = self._waiting[0]
        try:
            action()
        finally:
            del self._waiting[:1]


class Latest(QObject):
    """Quick questions answered in a thread: only the latest one counts, the others are dropped."""

    answered = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None, settle_ms: int = _SETTLE_MS) -> None:
        super().__init__(parent)
        self._question: Callable[[], Any] | None = None
        self._worker: Any = None
        self._thread = Thread()
        self._number = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(settle_ms)
        self._timer.timeout.connect(self._ask)

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._worker is not None or self._timer.isActive()

    def ask(self, question: Callable[[], Any]) -> None:
        """Ask soon, in place of what was asked before."""
        self._number += 1
        self._question = question
        if not self._timer.isActive():
            self._timer.start()

    def drop(self) -> None:
        """Forget what was asked; an answer under way will not be told."""
        self._number += 1
        self._question = None
        self._timer.stop()

    def close(self) -> None:
        """Forget what was asked, because who asked is gone: nothing is compiled for it any more."""
        self.drop()
        self._thread.give_up()

    def _ask(self) -> None:
        if self._worker is not None or self._question is None:
            return
        question, self._question = self._question, None
        self._thread = Thread()
        worker = create_quiet_worker(
            _answer, question, self._number, self._thread, _ignore_errors=True
        )
        worker.returned.connect(self._tell)
        worker.finished.connect(self._next)  # type: ignore[arg-type]
        self._worker = worker
        worker.start()

    def _tell(self, answer: tuple[int, Any]) -> None:
        number, value = answer
        if number != self._number:
            return
        if isinstance(value, Failure):
            self.failed.emit(value)
        else:
            self.answered.emit(value)

    def _next(self) -> None:
        self._worker = None
        if self._question is not None:
            self._timer.start()


def _answer(question: Callable[[], Any], number: int, thread: Thread) -> tuple[int, Any]:
    try:
        with thread.at_work():
            return number, question()
    except Abandoned:
        return -1, None
    except Exception as error:  # noqa: BLE001 - whatever a tool raises becomes a sentence
        return number, Failure.of(error)
