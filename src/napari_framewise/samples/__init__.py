"""Sample stacks with a known truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..stacks.stack import Stack


@dataclass(frozen=True)
class SampleData:
    """What a sample is made of.

    Attributes
    ----------
    stacks : tuple of (str, Stack)
        Each with its part in the sample: "stack", "reference 1", "mask" ...
    truth : dict
        What a tool should find: coefficients per frame, gain, read noise ...
    metadata : dict
        For the layers: the truth and where the data come from.
    """

    stacks: tuple[tuple[str, Stack], ...]
    truth: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """One entry of File > Open Sample."""

    title: str
    sentence: str
    make: Callable[[], SampleData]


SAMPLES: dict[str, Sample] = {}
