"""Whether what is to be read at once can be held at all."""

from __future__ import annotations

import os
from functools import lru_cache


def check_fits(name: str, what: str, nbytes: int, advice: str = "choose a region of it") -> None:
    """Refuse to read or make more at once than the computer has memory.

    Parameters
    ----------
    name : str
        What is read or made.
    what : str
        How much of it: "a frame of 4 x 5".
    nbytes : int
        Bytes that it takes.
    advice : str
        What to do.

    Raises
    ------
    ValueError
        Where these are more than there are.
    """
    there = memory_bytes()
    if nbytes > there:
        raise ValueError(
            f"{name}: {what} takes {size_text(nbytes)}, and this computer has "
            f"{size_text(there)} of memory; {advice}."
        )


def no_room(
    name: str, what: str, nbytes: int, advice: str = "close other programs, or use less of it"
) -> ValueError:
    """The error for what could be held, were the memory free: what it is and what it takes."""
    return ValueError(
        f"{name}: {what} takes {size_text(nbytes)}, and there is not as much memory free; {advice}."
    )


@lru_cache(maxsize=1)
def memory_bytes() -> int:
    """Bytes of memory of this computer; 64 GiB where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 2**36


def size_text(nbytes: int) -> str:
    """Bytes in words: "81.2 GB"."""
    size = float(nbytes)
    for unit in ("bytes", "kB", "MB", "GB", "TB", "PB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} EB"
