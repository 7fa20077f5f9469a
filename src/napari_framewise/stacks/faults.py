"""What is wrong with a file or a folder, in one sentence that names it and says what to do."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)
_REASONS = {
    errno.EACCES: ("may not be {done}", "change its permissions, or those of its folder"),
    errno.EPERM: ("may not be {done}", "change its permissions, or those of its folder"),
    errno.EROFS: ("lies on a disk that can't be written", "choose a place elsewhere"),
    errno.ENOSPC: ("can't be written: the disk is full", "make room, or choose another disk"),
    errno.EDQUOT: ("can't be written: your share of the disk is full", "make room there"),
    errno.ELOOP: ("is a link that leads back to itself", "give the file itself"),
    errno.ENAMETOOLONG: ("has a name that is too long for the disk", "choose a shorter one"),
    errno.ENOENT: ("is not there", "check the path"),
    errno.ENOTDIR: ("is not there: a part of its path is no folder", "check the path"),
    errno.EISDIR: ("is a directory", "give a file"),
    errno.EEXIST: ("is there already", "choose another place"),
    errno.EMFILE: ("can't be opened: too many files are open", "close some, or restart"),
    errno.ENFILE: ("can't be opened: too many files are open", "close some, or restart"),
    errno.EIO: ("can't be {done}: the disk or the network reports a fault", "copy it elsewhere"),
    errno.ESTALE: ("was taken away from the server while it was open", "open it again"),
    errno.ENOMEM: ("does not fit into memory", "close other programs, or use less of it"),
}


class FileFault(OSError, ValueError):
    """The system refuses a file; the message is a sentence that says why, and what to do."""


def os_fault(path: str | os.PathLike[str], error: OSError, done: str = "read") -> str:
    """The sentence for what the system says of a file or a folder.

    Parameters
    ----------
    path : path
        Which one, as the user gave it.
    error : OSError
        What the system says.
    done : str
        What was to be done with it: "read" or "written".
    """
    what, advice = _REASONS.get(error.errno or 0, ("can't be {done}", "check the disk"))
    return f"{os.fspath(path)} {what.format(done=done)}; {advice}."


@contextmanager
def os_faults_told(path: str | os.PathLike[str], done: str = "read") -> Iterator[None]:
    """Turn what the system says of a file or a folder into one sentence.

    Raises
    ------
    FileNotFoundError
        Where it is not there; the message is a sentence.
    FileFault
        Where the system refuses it for any other reason.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        kind = FileNotFoundError if isinstance(error, FileNotFoundError) else FileFault
        raise kind(os_fault(path, error, done)) from None


def check_regular(path: str | os.PathLike[str]) -> None:
    """Refuse a pipe, a device or a socket, whose reading might never end.

    Raises
    ------
    ValueError
        Where the path is one of these.
    OSError
        Where nothing can be found out about it.
    """
    mode = os.stat(path).st_mode
    for is_one, kind in _KINDS:
        if is_one(mode):
            raise ValueError(f"{os.fspath(path)} is {kind}, not a file; give a file of images.")


def reason_of(error: BaseException) -> str:
    """The last line of what a library says, without its full stop and the system's numbers."""
    said = error.strerror if isinstance(error, OSError) else None
    text = str(said or error).strip() or type(error).__name__
    return text.splitlines()[-1].strip().rstrip(".")
