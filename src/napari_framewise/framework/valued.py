"""A number that goes with each image, or with each frame of a stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class InputValue:
    """A number that a role asks for with what it takes.

    Attributes
    ----------
    title : str
        What the number is, such as "Temperature".
    unit : str
        Its unit.
    per : {"image", "frame"}
        One with each image of the role, or one with each frame of its stack.
    missing : float, optional
        What counts where no number was given: with an only image, or where `shared` with any.
    shared : bool
        One number may serve all frames of a stack.
    """

    title: str
    unit: str = ""
    per: Literal["image", "frame"] = "image"
    missing: float | None = None
    shared: bool = False

    @property
    def label(self) -> str:
        """Title and unit: "Temperature [K]"."""
        return f"{self.title} [{self.unit}]" if self.unit else self.title


@dataclass(frozen=True, eq=False)
class Valued:
    """What is given for a role, with its numbers.

    Attributes
    ----------
    value : Stack, array or layer result
        The image, or the stack.
    numbers : tuple of float
        One for an image; for a stack one per frame: of all its frames, or of those that are chosen.
    pattern : str, optional
        What the numbers were read from names by, so that a recipe reads those of other files.
    """

    value: Any
    numbers: tuple[float, ...]
    pattern: str | None = None


def valued(value: Any, *numbers: float) -> Valued:
    """An input with the number that goes with it, or the numbers of its frames.

    Parameters
    ----------
    value : Stack, array or layer result
        The image, or the stack.
    *numbers : float
        One for an image; one per frame for a stack.
    """
    return Valued(value, tuple(float(number) for number in numbers))
