"""What drives the session of a panel, and brings edits of its inputs to it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from napari.layers import Layer
from qtpy.QtCore import QObject, Signal

from napari_framewise.engine.progress import Progress
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.parameters import Parameters
from napari_framewise.framework.partial import Partial
from napari_framewise.framework.session import Session, Sessions, held, same_value
from napari_framewise.framework.tool import Tool
from napari_framewise.plugin.forms.setup_form import SetupForm
from napari_framewise.plugin.results.record import Record, RecordSoFar
from napari_framewise.plugin.results.so_far import ResultSoFar
from napari_framewise.plugin.running import settings
from napari_framewise.plugin.running.run_bar import RunBar
from napari_framewise.plugin.running.run_control import RunControl
from napari_framewise.plugin.steering.bar import SteeringBar

_BACK, _ON = -2, -1
# Results so far take longer than short steps; the panel shows as many.
_SO_FAR_SECONDS = 0.2


@dataclass
class _Given:
    """What a session was begun with; itself and its record, once they have been made.

    A thread that was left to itself goes on with its own.
    """

    inputs: Inputs
    parameters: Parameters
    layers: dict[str, list[Layer]]
    session: Session[Any] | None = None
    record: Record | None = None
    newest: RecordSoFar | None = None


class Steering(QObject):
    """One session at a time: it takes steps in a thread, and waits between them where asked to."""

    begun = Signal()
    done = Signal(object)

    def __init__(
        self,
        tool: Tool[Any],
        sessions: Sessions,
        setup: SetupForm,
        run: RunControl,
        so_far: ResultSoFar,
        bar: RunBar,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tool, self._sessions, self._setup = tool, sessions, setup
        self._run, self._result, self._bar = run, so_far, bar
        self.buttons = SteeringBar()
        self.buttons.clicked.connect(lambda name: getattr(self, name)())
        run.finished.connect(self._rest)
        self._given: _Given | None = None
        self._pausing = False
        self._lock = threading.Lock()
        self._edits: dict[str, tuple[Any, ...]] = {}
        self._offered: dict[str, tuple[Any, ...]] = {}

    @property
    def active(self) -> bool:
        """Whether a session has been begun and not ended."""
        return self._given is not None

    def step(self) -> None:
        """Take one step."""
        self._go(1)

    def run(self) -> None:
        """Take steps until it is done or paused."""
        self._go(_ON)

    def pause(self) -> None:
        """Wait after the step that is under way."""
        self._pausing = True
        self._bar.say("Pausing after this step")

    def undo(self) -> None:
        """Go back one step."""
        self._go(_BACK)

    def offer_edits(self) -> None:
        """Bring what was changed in the inputs to the session, before its next step."""
        try:
            inputs = self._setup.inputs()
        except ValueError as error:
            self._bar.say(str(error))
            return
        for role in self._sessions.steers:
            values, before = inputs.as_given(role), self._offered[role]
            if len(values) == len(before) and all(map(same_value, values, before)):
                continue
            self._offered[role] = kept = tuple(map(held, values))
            with self._lock:
                self._edits[role] = kept

    # -- as the run control sees it --------------------------------------------------------------

    def show(self, partial: RecordSoFar) -> None:
        """Show what there is so far."""
        self._result.show(partial)

    def take(self, partial: RecordSoFar | None = None) -> None:
        """End here, and take what there is so far as the result."""
        newest = partial or (self._given.newest if self._given else None)
        self._end()
        if newest is not None:
            self._result.take(newest)

    def drop(self) -> None:
        """End here, and leave nothing."""
        self._end()
        self._result.drop()

    # -- steps -----------------------------------------------------------------------------------

    def _go(self, count: int) -> None:
        if self._run.running:
            return
        if self._given is None:
            try:
                self._given = self._begun()
            except ValueError as error:
                self._bar.say(str(error))
                return
            self.begun.emit()
        else:
            self.offer_edits()
        self._pausing = False
        self._run.start(lambda: self._steps(count), self._took, self)
        self.buttons.show_state(running=True, undoable=0)

    def _begun(self) -> _Given:
        inputs = self._setup.inputs(origins=True)
        for role in self._sessions.steers:
            self._offered[role] = tuple(map(held, inputs.as_given(role)))
            inputs = inputs.changed(role, self._offered[role])
        return _Given(inputs, self._setup.parameters(), self._setup.layers())

    def _steps(self, count: int) -> Generator[Progress | Partial, None, tuple[RecordSoFar, bool]]:
        """Steps in the thread: so many, or back, or on until it is done or paused."""
        given = self._given
        assert given is not None
        if given.session is None:
            yield Progress("Beginning", 0, 1, "steps")
            engine = settings.current_engine()
            given.session = self._sessions(given.inputs, given.parameters, engine)
        session, taken, told, shown = given.session, 0, -math.inf, True
        self._bring_edits(session)
        if count == _BACK:
            session.undo()
        while count != _BACK and not session.done and not self._pausing and taken != count:
            for report in session.step():
                yield report
                if not shown and time.monotonic() - told > _SO_FAR_SECONDS:
                    yield self._so_far(session, given)
                    told, shown = time.monotonic(), True
            taken += 1
            self._bring_edits(session)
            shown = time.monotonic() - told > _SO_FAR_SECONDS and taken != count
            if shown:
                yield self._so_far(session, given)
                told = time.monotonic()
        return self._so_far(session, given), session.done and count != _BACK

    def _so_far(self, session: Session[Any], given: _Given) -> RecordSoFar:
        if given.record is None or given.inputs is not session.first_inputs:
            given.inputs = session.first_inputs
            given.record = Record.of(
                self._tool, given.inputs, given.parameters, given.layers, Outcome()
            )
        outcome = session.outcome()
        given.newest = RecordSoFar(outcome, given.record.along(session.course(), outcome))
        return given.newest

    def _bring_edits(self, session: Session[Any]) -> None:
        with self._lock:
            edits, self._edits = self._edits, {}
        for role, values in edits.items():
            session.change(role, *values)

    def _took(self, answer: tuple[RecordSoFar, bool]) -> None:
        partial, done = answer
        if done:
            self._end()
            self.done.emit(partial.record)
            return
        assert self._given is not None
        session = self._given.session
        assert session is not None
        steps = "1 step" if session.number == 1 else f"{session.number:,} steps"
        self._bar.say(f"After {steps}: Step or Run goes on, Stop keeps this, Cancel keeps nothing.")
        self._result.show(partial)

    def _rest(self) -> None:
        session = self._given.session if self._given else None
        self.buttons.show_state(running=False, undoable=session.undoable if session else 0)
        if self.active:
            self._bar.offer_end()

    def _end(self) -> None:
        self._given = None
        self._edits, self._offered = {}, {}
        if not self._run.running:
            self._bar.set_running(False)
            self._rest()
