"""What a run has finished, noted beside its results, so that the same run goes on after any end.

A file of lines of JSON: what the run is, then each file before it appears, and each input when all
of its files lie on the disk. It is locked as long as the run lives; the lock ends with the process,
whatever ends that.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from napari_framewise.stacks.faults import os_faults_told

_VERSION = 1


@dataclass
class Journal:
    """The notes of one run.

    Attributes
    ----------
    folder : Path
        Where the results are.
    fingerprint : str
        Names the run: what is computed from which inputs.
    files : set of str
        Names of files that are the run's own.
    done : dict
        What was noted of each finished input, by its name.
    resumed : bool
        Whether an earlier run had begun it.
    """

    folder: Path
    fingerprint: str
    files: set[str] = field(default_factory=set)
    done: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    resumed: bool = False
    _file: IO[str] | None = None

    def owns(self, path: Path) -> bool:
        """Whether a file was made by this run, or by an earlier part of it."""
        return path.name in self.files

    def note(self, path: Path) -> None:
        """Say that a file will be made."""
        if path.name not in self.files:
            self.files.add(path.name)
            self._write({"file": path.name})

    def finish(self, name: str, entry: Mapping[str, Any]) -> None:
        """Say that all results of an input are on the disk."""
        self.done[name] = entry
        self._write({"done": name, "entry": entry})

    @property
    def kept(self) -> bool:
        """Whether anything is there that the same run could go on from."""
        names = (name for file in self.files for name in (file, part_name(file)))
        return bool(self.done) or any((self.folder / name).exists() for name in names)

    def _write(self, line: Mapping[str, Any]) -> None:
        assert self._file is not None
        with os_faults_told(self.folder, "written"):
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())


def part_name(name: str) -> str:
    """What a file is called until it is whole; never longer than a disk takes."""
    return f".part-{name}" if len(os.fsencode(name)) < 240 else f".part-{name[-100:]}"


@contextmanager
def journal_at(place: Path, folder: Path, fingerprint: str, overwrite: bool) -> Iterator[Journal]:
    """The journal of a run, locked; removed at its end, and kept where there is more to do.

    Parameters
    ----------
    place : Path
        The journal itself.
    folder : Path
        Where the results are.
    fingerprint : str
        Names the run.
    overwrite : bool
        Whether what another run left is to be forgotten.

    Raises
    ------
    ValueError
        Where another run is writing there, or has left an unfinished result.
    """
    with os_faults_told(place, "written"):
        file = _locked(place)
    try:
        journal = _resumed(file, place, folder, fingerprint, overwrite)
        try:
            yield journal
        except BaseException as error:
            if journal.kept:
                error.add_note(
                    f"what was finished is in {folder}, and the same command goes on from there"
                )
            else:
                place.unlink(missing_ok=True)
            raise
        place.unlink(missing_ok=True)
    finally:
        # What a full disk did not take is tried again here, and was told already.
        with suppress(OSError):
            file.close()


def _resumed(
    file: IO[str], place: Path, folder: Path, fingerprint: str, overwrite: bool
) -> Journal:
    file.seek(0)
    lines = list(_lines(file))
    head = lines[0] if lines else {}
    same = head.get("framewise") == _VERSION and head.get("run") == fingerprint
    if head and not same and not overwrite:
        raise ValueError(
            f"{folder} holds the unfinished results of another run; run that one again to finish "
            "it, choose another folder, or overwrite it (--overwrite)."
        )
    journal = Journal(folder, fingerprint, _file=file)
    file.seek(0, os.SEEK_END)
    if same and not overwrite:
        journal.resumed = True
        for line in lines[1:]:
            if "file" in line:
                journal.files.add(str(line["file"]))
            elif "done" in line:
                journal.done[str(line["done"])] = line.get("entry", {})
        # The end of the process may have cut the last line.
        file.write("\n")
        return journal
    file.seek(0)
    file.truncate()
    journal._write({"framewise": _VERSION, "run": fingerprint})
    return journal


def _lines(file: IO[str]) -> Iterator[dict[str, Any]]:
    for text in file:
        with suppress(ValueError, RecursionError):
            line = json.loads(text)
            if isinstance(line, dict):
                yield line


def _locked(place: Path) -> IO[str]:
    """The journal's file, locked for this run alone."""
    while True:
        # Line ends as they are on every system, since places in the file are counted.
        file = os.fdopen(os.open(place, os.O_RDWR | os.O_CREAT, 0o666), "r+", newline="\n")
        try:
            _lock(file)
            same = os.path.samestat(os.fstat(file.fileno()), os.stat(place))
        except FileNotFoundError:
            same = False
        except BlockingIOError:
            file.close()
            raise ValueError(
                f"Another run is writing into {place.parent}; wait until it has ended, or choose "
                "another folder."
            ) from None
        except OSError:
            # Some network disks know no locks.
            return file
        if same:
            return file
        # Its run ended, and removed it, between the opening and the lock.
        file.close()


def _lock(file: IO[str]) -> None:
    if sys.platform == "win32":
        import msvcrt

        try:
            file.seek(2**30)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(*error.args) from None
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def settle(path: Path) -> None:
    """Wait until a file, or all files of a folder, lie on the disk and not only in its cache."""
    for each in [path, *path.rglob("*")] if path.is_dir() else [path]:
        if each.is_file():
            handle = os.open(each, os.O_RDONLY)
            try:
                with suppress(OSError):
                    os.fsync(handle)
            finally:
                os.close(handle)
