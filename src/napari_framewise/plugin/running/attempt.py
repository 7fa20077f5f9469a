"""A computation in a thread, which can be left to itself, and how threads end with the process."""

from __future__ import annotations

import atexit
import traceback
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from napari.qt.threading import GeneratorWorker, create_worker
from qtpy.QtCore import QObject, QThreadPool, Signal

from napari_framewise.numerics.compiling import compiled_while
from napari_framewise.plugin.running.failure import Failure

# What one step that nothing interrupts may take while the process ends.
_END_MS = 60_000


class Thread:
    """What a thread is asked for: whether anybody still wants it."""

    def __init__(self) -> None:
        self._wanted = True
        _THREADS.add(self)

    def give_up(self) -> None:
        """What is being compiled is not wanted any more, nor anything after it."""
        self._wanted = False

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Compile in here only as long as it is wanted."""
        with compiled_while(lambda: self._wanted):
            yield


class Attempt(QObject):
    """A generator in a thread: what it yields, and what it comes to.

    `ended` gives its answer, a `Failure` where it raised, None where it was told to quit.
    """

    yielded = Signal(object)
    warned = Signal(str)
    ended = Signal(object)

    def __init__(self, steps: Callable[..., Generator[Any, None, Any]], *arguments: Any) -> None:
        super().__init__()
        self._answer: Any = None
        self._left = False
        self._thread = Thread()
        self._worker = create_worker(
            _kept_in, self._thread, steps, *arguments, _worker_class=_Closing, _ignore_errors=True
        )
        self._worker.yielded.connect(self._yield)
        self._worker.returned.connect(self._return)
        self._worker.errored.connect(self._fail)
        self._worker.warned.connect(self._warn)
        self._worker.finished.connect(self._finish)

    @property
    def at_work(self) -> bool:
        """Whether it has not ended."""
        return self in _AT_WORK

    def start(self) -> None:
        """Begin."""
        _AT_WORK.add(self)
        self._worker.start()

    def quit(self) -> None:
        """Stop between two steps."""
        self._worker.quit()

    def give_up(self) -> None:
        """Stop, and compile nothing more for it."""
        self.quit()
        self._thread.give_up()

    def leave(self) -> None:
        """Tell nothing more; it ends by itself, and others need not wait for its thread."""
        self.blockSignals(True)
        self._left = True
        _pool().releaseThread()

    def _yield(self, step: Any) -> None:
        self.yielded.emit(step)

    def _return(self, answer: Any) -> None:
        self._answer = answer

    def _fail(self, error: Exception) -> None:
        self._answer = Failure(error, "".join(traceback.format_exception(error)))

    def _warn(self, arguments: tuple[Any, ...]) -> None:
        self.warned.emit(str(arguments[0]))

    def _finish(self) -> None:
        _AT_WORK.discard(self)
        if self._left:
            _pool().reserveThread()
        self.ended.emit(self._answer)
        self.deleteLater()


_AT_WORK: set[Attempt] = set()
_THREADS: weakref.WeakSet[Thread] = weakref.WeakSet()


@atexit.register
def _end_threads() -> None:
    """Stop what goes on before Qt is taken down: threads would tell what is gone by then."""
    for attempt in _AT_WORK:
        attempt.quit()
    for thread in list(_THREADS):
        thread.give_up()
    _pool().waitForDone(_END_MS)


def _pool() -> QThreadPool:
    pool = QThreadPool.globalInstance()
    assert pool is not None
    return pool


class _Closing(GeneratorWorker):
    """Closes its generator in its own thread, also where it was stopped between two steps."""

    def work(self) -> Any:
        try:
            return super().work()
        finally:
            self._gen.close()


def _kept_in(
    thread: Thread, steps: Callable[..., Generator[Any, None, Any]], *arguments: Any
) -> Generator[Any, None, Any]:
    with thread.at_work():
        return (yield from steps(*arguments))
