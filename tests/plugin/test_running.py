"""Runs in threads: one answer each, and the latest question only."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from typing import Any

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QThreadPool

from napari_framewise.engine.progress import Progress
from napari_framewise.numerics.compiling import COMPILATION, IN_ORDER, Abandoned, Kernel
from napari_framewise.plugin.running.run_bar import RunBar
from napari_framewise.plugin.running.runner import Failure, Latest, Runner, Turns
from napari_framewise.plugin.running.waiting import finish_in_window


class Ear:
    """What a runner said, in order."""

    def __init__(self, runner: Runner) -> None:
        self.heard: list[tuple[str, Any]] = []
        for name in ("progressed", "returned", "failed"):
            getattr(runner, name).connect(lambda value, name=name: self.heard.append((name, value)))
        for name in ("cancelled", "finished"):
            getattr(runner, name).connect(lambda name=name: self.heard.append((name, None)))

    @property
    def ends(self) -> list[str]:
        return [name for name, _ in self.heard if name != "progressed"]


def counting(n: int, pause: float = 0.002) -> Generator[Progress, None, str]:
    for done in range(n):
        yield Progress("Counting", done, n)
        time.sleep(pause)
    return "counted"


def run(qtbot: QtBot, make: Any) -> Ear:
    runner = Runner()
    ear = Ear(runner)
    with qtbot.waitSignal(runner.finished):
        runner.start(make)
    assert not runner.running
    return ear


def test_a_run_reports_seldom_and_answers_once(qtbot: QtBot) -> None:
    ear = run(qtbot, lambda: counting(400))
    assert ear.ends == ["returned", "finished"]
    assert ear.heard[-2] == ("returned", "counted")
    told = sum(name == "progressed" for name, _ in ear.heard)
    assert 1 <= told < 40


def test_whatever_is_raised_becomes_a_failure(qtbot: QtBot) -> None:
    def failing(error: Exception) -> Generator[Progress, None, None]:
        yield Progress("Failing", 0, 1)
        raise error

    for error in (ValueError("No."), RuntimeError("lost"), StopIteration(), KeyError("a")):
        ear = run(qtbot, lambda error=error: failing(error))
        assert ear.ends == ["failed", "finished"]
        failure = ear.heard[-2][1]
        assert isinstance(failure, Failure)
        assert "failing" in failure.trace

    def unreachable() -> Generator[Progress, None, None]:
        raise ValueError("No scheduler answers there.")

    ear = run(qtbot, unreachable)
    assert ear.heard[-2][1].sentence() == "No scheduler answers there."


def test_cancel_closes_the_steps_in_their_own_thread_and_drops_the_answer(qtbot: QtBot) -> None:
    closed: list[threading.Thread] = []

    def steps() -> Generator[Progress, None, str]:
        try:
            yield from counting(100_000)
        finally:
            closed.append(threading.current_thread())
        return "too late"

    runner = Runner()
    ear = Ear(runner)
    runner.start(steps)
    qtbot.waitUntil(lambda: bool(ear.heard))
    with qtbot.waitSignal(runner.finished):
        runner.cancel()
    assert ear.ends == ["cancelled", "finished"]
    qtbot.waitUntil(lambda: bool(closed))
    assert closed[0] is not threading.main_thread()
    with qtbot.waitSignal(runner.finished):
        runner.start(lambda: counting(1))
    assert ear.ends[-2:] == ["returned", "finished"]


def test_a_run_that_nothing_interrupts_is_left_to_itself_and_its_answer_dropped(
    qtbot: QtBot,
) -> None:
    go, ended = threading.Event(), threading.Event()

    def stubborn() -> Generator[Progress, None, str]:
        yield Progress("Fitting", 0, 2)
        go.wait(20)
        ended.set()
        return "too late"

    runner = Runner()
    ear = Ear(runner)
    runner.start(stubborn)
    qtbot.waitUntil(lambda: bool(ear.heard))
    asked = time.monotonic()
    with qtbot.waitSignal(runner.finished, timeout=2000):
        runner.cancel()
    assert time.monotonic() - asked < 1.0
    assert ear.ends == ["cancelled", "finished"]
    assert runner.leaving
    assert not runner.running
    assert not ended.is_set()
    with qtbot.waitSignal(runner.finished):
        runner.start(lambda: counting(3))
    assert ear.ends == ["cancelled", "finished", "returned", "finished"]
    go.set()
    qtbot.waitUntil(lambda: not runner.leaving)
    assert ended.is_set()
    assert ear.heard[-2] == ("returned", "counted")
    assert ear.ends == ["cancelled", "finished", "returned", "finished"]


def test_runs_left_to_themselves_do_not_hold_up_others(qtbot: QtBot) -> None:
    go = threading.Event()

    def stubborn() -> Generator[Progress, None, None]:
        go.wait(20)
        yield Progress("Fitting", 0, 2)

    runner = Runner()
    pool = QThreadPool.globalInstance()
    for _ in range(pool.maxThreadCount() + 1):
        with qtbot.waitSignal(runner.finished, timeout=2000):
            runner.start(stubborn)
            runner.cancel()
    with qtbot.waitSignal(runner.returned, timeout=5000):
        runner.start(lambda: counting(3))
    go.set()
    qtbot.waitUntil(lambda: not runner.leaving)
    qtbot.waitUntil(lambda: pool.activeThreadCount() == 0)


def test_closing_gives_up_what_is_being_compiled(qtbot: QtBot) -> None:
    def added(x: float) -> float:
        total = x
        for i in range(3):
            total += x * i
        return total

    # Kept on disk it would be compiled the first time only.
    slow = Kernel(added, {**IN_ORDER, "cache": False})

    entered, seen = threading.Event(), []

    def compiling() -> Generator[Progress, None, None]:
        yield Progress("Compiling", 0, 1)
        entered.set()
        closed.wait(20)
        try:
            seen.append(slow(1.0))
        except Abandoned:
            seen.append("given up")
            raise

    closed = threading.Event()
    runner = Runner()
    runner.start(compiling)
    qtbot.waitUntil(entered.is_set)
    runner.close()
    closed.set()
    qtbot.waitUntil(lambda: not runner.leaving and not runner.running)
    assert seen == ["given up"]
    assert slow(1.0) == 4.0


def test_one_run_at_a_time(qtbot: QtBot) -> None:
    runner = Runner()
    with qtbot.waitSignal(runner.finished):
        runner.start(lambda: counting(3))
        with pytest.raises(RuntimeError, match="under way"):
            runner.start(lambda: counting(3))


def test_only_the_latest_question_is_answered(qtbot: QtBot) -> None:
    latest = Latest(settle_ms=1)
    heard: list[Any] = []
    asked: list[int] = []
    latest.answered.connect(heard.append)
    go = threading.Event()

    def question(number: int) -> int:
        asked.append(number)
        go.wait(5)
        return number

    latest.ask(lambda: question(0))
    qtbot.waitUntil(lambda: asked == [0])
    for number in range(1, 9):
        latest.ask(lambda number=number: question(number))
    go.set()
    qtbot.waitUntil(lambda: not latest.busy)
    assert heard == [8]
    assert asked == [0, 8]


def test_what_was_dropped_is_not_told_and_a_failure_is(qtbot: QtBot) -> None:
    latest = Latest(settle_ms=1)
    heard: list[Any] = []
    latest.answered.connect(heard.append)
    latest.failed.connect(heard.append)
    started, go = threading.Event(), threading.Event()
    latest.ask(lambda: (started.set(), go.wait(5)))
    qtbot.waitUntil(started.is_set)
    latest.drop()
    go.set()
    qtbot.waitUntil(lambda: not latest.busy)
    assert heard == []
    latest.ask(lambda: 1 // 0)
    qtbot.waitUntil(lambda: bool(heard))
    assert isinstance(heard[0].error, ZeroDivisionError)
    qtbot.waitUntil(lambda: not latest.busy)


def test_turns_leave_room_between_actions(qtbot: QtBot) -> None:
    turns = Turns()
    done: list[int] = []
    turns.add(*(lambda n=n: done.append(n) for n in range(3)))
    assert turns.busy
    qtbot.waitUntil(lambda: not turns.busy)
    assert done == [0, 1, 2]
    turns.add(lambda: done.append(9))
    turns.stop()
    assert not turns.busy
    qtbot.wait(20)
    assert done == [0, 1, 2]


def test_waiting_in_a_window_gives_the_answer_or_the_error(qtbot: QtBot) -> None:
    assert finish_in_window(counting(5), "a file") == "counted"

    def failing() -> Generator[Progress, None, None]:
        yield Progress("Failing", 0, 1)
        raise OSError("The disk is full.")

    with pytest.raises(OSError, match="disk is full"):
        finish_in_window(failing(), "a file")


def test_compiling_is_said_while_it_goes_on(qtbot: QtBot) -> None:
    bar = RunBar("Mixing", compile_seconds=12)
    qtbot.addWidget(bar)
    bar.show()
    COMPILATION.begin()
    try:
        bar.compiling.look()
        assert bar.compiling.isVisible()
        assert "Compiling for the first use on this machine: about 12 s" in bar.compiling.text()
    finally:
        COMPILATION.end()
    bar.compiling.look()
    assert not bar.compiling.isVisible()
