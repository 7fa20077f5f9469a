"""A line of progress in a terminal or a notebook."""

from __future__ import annotations

import shutil
import sys
import threading
from types import TracebackType
from typing import Self, TextIO

from napari_framewise.engine.progress import Notice, Progress
from napari_framewise.framework.first_use import compiling_text
from napari_framewise.framework.partial import Partial

BAR_WIDTH = 24
_LOOK_SECONDS = 0.3


class ProgressLine:
    """One line on a stream that is written over and over, and wiped at the end.

    Parameters
    ----------
    shown : bool
        Whether anything is written.
    stream : text stream, optional
        The standard error by default.
    """

    def __init__(self, shown: bool = True, stream: TextIO | None = None) -> None:
        self.prefix = ""
        self.compile_seconds = 0.0
        self._shown = shown
        self._stream = sys.stderr if stream is None else stream
        self._length = 0
        self._progress: Progress | None = None
        self._newest = ""
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def show(self, report: Progress | Partial | Notice) -> None:
        """Write a report over the last one, of a partial result its newest number; notices stay."""
        if not self._shown:
            return
        if isinstance(report, Notice):
            self._write("")
            self._stream.write(f"{report.text}\n")
            return
        if isinstance(report, Partial):
            self._newest = report.text()
        else:
            self._progress = report
        self._write_line(
            self._newest if self._progress is None else line_of(self._progress, self._newest)
        )

    def clear(self) -> None:
        """Wipe the line, so that something else can be written."""
        self._progress, self._newest = None, ""
        self._write("")

    def __enter__(self) -> Self:
        if self._shown:
            # While kernels are compiled, nothing comes from the run itself.
            threading.Thread(target=self._watch_compiling, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._write("")

    def _watch_compiling(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            text = compiling_text(self.compile_seconds)
            if text:
                self._write_line(text)

    def _write_line(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        self._write(f"{self.prefix}{text}"[:width])

    def _write(self, text: str) -> None:
        with self._lock:
            if text or self._length:
                self._stream.write("\r" + text.ljust(self._length) + ("" if text else "\r"))
                self._stream.flush()
            self._length = len(text)


def line_of(progress: Progress, newest: str = "") -> str:
    """Bar, percentage, the newest number, what is done of what, time left and rate."""
    filled = int(progress.fraction * BAR_WIDTH)
    bar = "#" * filled + "." * (BAR_WIDTH - filled)
    line = f"[{bar}] {progress.fraction:4.0%}  {newest}{'; ' * bool(newest)}{progress.text()}"
    if progress.done and progress.elapsed > 0:
        line += f", {progress.done / progress.elapsed:,.0f} a second"
    return line
