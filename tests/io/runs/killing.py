"""Runs that are killed at random moments and run again, each in a process of its own.

A script, so that nothing else lives in the process that the runs are forked from:
``python -m tests.io.runs.killing FOLDER TRIALS SEED`` prints what it found as JSON.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
from tests.helpers import everything
from tests.helpers.recipes import everything_on, write_frames

from napari_framewise.engine import Engine
from napari_framewise.engine.progress import finish
from napari_framewise.io.opening import open_stack
from napari_framewise.io.recipes.naming import parse_input
from napari_framewise.io.runs.batch import run_batch
from napari_framewise.io.runs.outputs import Output
from napari_framewise.tools import registry

SIGNALS = (signal.SIGKILL, signal.SIGTERM)
MOST_TRIES = 30


def start(paths: list[Path], out: Path) -> int:
    """The run in a new process; its number."""
    child = os.fork()
    if child:
        return child
    try:
        output = Output(out, layers="all")
        refs = [parse_input(str(path)) for path in paths]
        batch = finish(run_batch(everything_on(paths[0]), refs, output, Engine.local(1)), str)
        for run in batch.failed:
            sys.stderr.write(f"{run.error}\n")
        os._exit(0 if not batch.failed else 3)
    except Exception as error:  # noqa: BLE001 - told by the exit code
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        os._exit(4)


def ended(child: int, seconds: float, number: int) -> int | None:
    """Exit code of a run that is killed after some time; None where it was killed."""
    time.sleep(seconds)
    os.kill(child, number)
    state = os.waitpid(child, 0)[1]
    return os.waitstatus_to_exitcode(state) if os.WIFEXITED(state) else None


def finished(out: Path) -> bool:
    """Whether a run has come to its end: its notes are taken away then."""
    return (out / "everything.recipe.json").exists() and not (out / ".framewise.run").exists()


def contents(out: Path) -> dict[str, object]:
    """What lies in a folder of results: texts, and the pixels of images."""
    found: dict[str, object] = {}
    for path in sorted(out.iterdir()):
        if path.suffix == ".zarr":
            stack = open_stack(path)
            found[path.name] = (stack.name, stack.read(0, stack.n_frames).tolist())
        elif path.suffix == ".npz":
            with np.load(path) as archive:
                found[path.name] = {name: archive[name].tolist() for name in archive.files}
        else:
            found[path.name] = path.read_text(encoding="utf-8")
    return found


def whole(paths: list[Path], out: Path) -> float:
    """A run that nobody disturbs; how long it takes."""
    began = time.perf_counter()
    state = os.waitpid(start(paths, out), 0)[1]
    assert os.waitstatus_to_exitcode(state) == 0
    return time.perf_counter() - began


def main(folder: Path, trials: int, seed: int) -> dict[str, object]:
    """Kill runs at random moments; what came of it."""
    registry.TOOLS["everything"] = everything.ENTRY
    chance = random.Random(seed)
    paths = [folder / f"{name}.npy" for name in ("a", "b", "c")]
    for number, path in enumerate(paths):
        write_frames(path, 3 + number, seed=number)
    out = folder / "out"
    whole(paths, folder / "reference")
    takes = whole(paths, folder / "again")
    kills, faults = 0, []
    for trial in range(trials):
        shutil.rmtree(out, ignore_errors=True)
        for attempt in range(MOST_TRIES):
            child = start(paths, out)
            if attempt == MOST_TRIES - 1:
                code: int | None = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            else:
                code = ended(child, chance.uniform(0, takes), SIGNALS[trial % len(SIGNALS)])
            if code is None and finished(out):
                # The signal came when all was done.
                code = 0
            if code is not None:
                break
            kills += 1
        if code != 0:
            faults.append(f"trial {trial}: exit code {code} after {attempt} kills")
        out.rename(folder / f"out-{trial}")
    # zarr starts a thread of its own, so pixels are read when nothing is forked any more.
    expected = contents(folder / "reference")
    for trial in range(trials):
        try:
            got = contents(folder / f"out-{trial}")
        except ValueError as error:
            faults.append(f"trial {trial}: {error}")
            continue
        differ = [name for name in {*expected, *got} if expected.get(name) != got.get(name)]
        differ = [name for name in differ if not name.endswith(".recipe.json")]
        if differ or set(expected) != set(got):
            faults.append(f"trial {trial}: {sorted(differ)} differ")
    return {"kills": kills, "faults": faults, "takes": takes}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
