"""Where a run of a batch writes what memory does not hold, until it lies among the results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from napari_framewise.engine import Engine
from napari_framewise.io.runs.journal import part_name
from napari_framewise.io.runs.outputs import Output
from napari_framewise.io.runs.writing import remove


@contextmanager
def room_for(output: Output, name: str, engine: Engine) -> Iterator[Engine]:
    """An engine that writes what memory does not hold beside the results of an input.

    What an interrupted run with a journal has there stays, for the same run to go on from.
    """
    title = f"{name}.room"
    place, journal = output.folder / part_name(title), output.journal
    if journal is None or not journal.resumed:
        remove(place)
    if journal is not None:
        journal.note(place.with_name(title))
    mark = "" if journal is None else f"{journal.fingerprint} {name}"
    try:
        yield engine.writing_to(place, mark)
    except BaseException as error:
        if isinstance(error, Exception) or journal is None:
            remove(place)
        raise
    remove(place)
