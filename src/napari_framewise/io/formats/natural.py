"""Names in the order that a person puts them: img2 before img10."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(\d+)")


def natural_key(name: str) -> tuple[tuple[str | int, ...], str]:
    """Key for sorting: numbers by value, letters without regard to case, ties by the name itself.

    Parameters
    ----------
    name : str
        A file's name.
    """
    parts = _NUMBER.split(name.casefold())
    return tuple(int(part) if place % 2 else part for place, part in enumerate(parts)), name
