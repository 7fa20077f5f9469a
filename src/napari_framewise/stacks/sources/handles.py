"""Open files, kept for the next read: a few per process, found by path and time of change."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Handle = TypeVar("Handle")


class HandleCache(Generic[Handle]):
    """The last few handles; one that falls out lives on as long as a reader still holds it.

    Parameters
    ----------
    size : int
        How many to keep.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._handles: OrderedDict[Hashable, Handle] = OrderedDict()

    def get(self, path: str, what: Hashable, make: Callable[[], Handle]) -> Handle:
        """The handle for `what` in the file at `path`, made anew where the file has changed.

        Raises
        ------
        FileNotFoundError
            Where there is nothing at the path.
        """
        try:
            found = os.stat(path)
        except FileNotFoundError:
            raise FileNotFoundError(
                f"{path} is not there any more; put it back or open another file."
            ) from None
        key = (path, found.st_mtime_ns, found.st_size, what)
        with self._lock:
            if key in self._handles:
                self._handles.move_to_end(key)
                return self._handles[key]
            handle = make()
            self._handles[key] = handle
            while len(self._handles) > self._size:
                self._handles.popitem(last=False)
            return handle
