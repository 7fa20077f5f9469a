"""What tools that bring images into alignment ask for in the same words."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from napari_framewise.framework.inputs import Input, Kind
from napari_framewise.framework.parameters import parameter

Order: TypeAlias = Literal[0, 1, 3]
ORDERS: dict[str, Order] = {"nearest": 0, "linear": 1, "cubic": 3}
"""Orders of the splines that images are computed by between pixels."""


def others(**more: Any) -> Input:
    """Further stacks that are moved by the same transforms."""
    return Input(
        "others",
        Kind.STACK,
        "Move with it",
        "Further stacks, such as other channels, that are moved by the same transforms.",
        least=0,
        most=8,
        same_length_as="stack",
        folded=True,
        **more,
    )


def reference_frame(description: str, **shown_when: Any) -> Any:
    """The number of the frame that does not move."""
    return parameter(0, "Reference frame", description, shown_when=shown_when, ge=0)
