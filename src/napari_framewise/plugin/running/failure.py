"""An error of a thread, as it is told."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

from napari_framewise.engine.job import BlockError


@dataclass(frozen=True)
class Failure:
    """An error of a worker thread, and where it came from."""

    error: Exception
    trace: str

    @classmethod
    def of(cls, error: Exception) -> Failure:
        """The error that is being handled."""
        return cls(error, traceback.format_exc())

    @property
    def expected(self) -> bool:
        """Whether it is the input's or the machine's fault rather than the program's."""
        return isinstance(self.error, ValueError | OSError | MemoryError | BlockError)

    def sentence(self) -> str:
        """What to tell the user."""
        error, text = self.error, str(self.error).strip()
        if isinstance(error, MemoryError):
            return "There is not enough memory for this; choose fewer frames or a smaller region."
        if isinstance(error, OSError) and error.strerror:
            return f"{error.strerror}: {error.filename}." if error.filename else error.strerror
        if isinstance(error, ValueError | OSError) and text:
            return text
        return ": ".join(part for part in (type(error).__name__, text) if part)
