"""What a sample is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from napari_framewise.stacks.stack import Stack


@dataclass(frozen=True)
class SampleData:
    """What a sample is made of.

    Attributes
    ----------
    stacks : tuple of (str, Stack)
        Each with its part in the sample: "stack", "reference 1", "spectra" ...
    truth : mapping
        What a tool should find, and what the camera was: coefficients per frame (n, K), gain in
        counts per electron, offset in counts, read noise in counts.
    metadata : mapping
        For the layers: title, source and the truth.
    """

    stacks: tuple[tuple[str, Stack], ...]
    truth: Mapping[str, Any]
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Sample:
    """One entry of File > Open Sample.

    Attributes
    ----------
    title : str
        Its name in the menu.
    sentence : str
        What it shows.
    make : callable
        Makes the data; the same each time.
    """

    title: str
    sentence: str
    make: Callable[[], SampleData]
