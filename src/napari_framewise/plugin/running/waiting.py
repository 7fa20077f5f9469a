"""Work that napari waits for, such as File > Save, without a frozen window."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from qtpy.QtCore import QEventLoop, Qt, QThread
from qtpy.QtWidgets import QApplication, QProgressDialog

from napari_framewise.engine.progress import Progress, finish
from napari_framewise.plugin.running.runner import Failure, Runner

T = TypeVar("T")
_STEPS = 1000


def finish_in_window(steps: Generator[Progress, None, T], what: str) -> T:
    """Run a generator to its end; in a window, in a thread, with a bar and a Cancel.

    Raises
    ------
    InterruptedError
        Where the user cancelled.
    """
    app = QApplication.instance()
    if app is None or QThread.currentThread() is not app.thread():
        return finish(steps, lambda _: None)
    answers: list[object] = []
    loop, runner = QEventLoop(), Runner()
    dialog = QProgressDialog(what, "Cancel", 0, _STEPS)
    dialog.setWindowModality(Qt.WindowModality.ApplicationModal)
    dialog.setMinimumDuration(300)
    dialog.setAutoReset(False)
    dialog.canceled.connect(runner.cancel)

    def show(progress: Progress) -> None:
        dialog.setLabelText(progress.text())
        dialog.setValue(round(_STEPS * progress.fraction))

    runner.progressed.connect(show)
    runner.returned.connect(answers.append)
    runner.failed.connect(answers.append)
    runner.finished.connect(loop.quit)
    runner.start(lambda: steps)
    loop.exec()
    dialog.close()
    dialog.deleteLater()
    runner.deleteLater()
    if not answers:
        raise InterruptedError(f"{what} was not written: it was cancelled.")
    if isinstance(answers[0], Failure):
        raise answers[0].error
    return answers[0]  # type: ignore[return-value]
