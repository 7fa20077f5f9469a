"""Numbers of things in words."""

from __future__ import annotations


def counted(number: int, noun: str, verb: str = "", verbs: str = "") -> str:
    """A number with its noun, and the verb that goes with it.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        What they are, one of them; several have an s behind it.
    verb, verbs : str
        What follows for one, and for several.

    Examples
    --------
    >>> counted(1, "frame"), counted(1200, "frame"), counted(1, "frame", "is", "are")
    ('1 frame', '1,200 frames', '1 frame is')
    """
    said = f"{number:,} {noun}{'s' * (number != 1)}"
    follows = verb if number == 1 else verbs
    return f"{said} {follows}" if follows else said
