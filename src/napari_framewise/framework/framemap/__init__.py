"""A filter of frames: its numerics, its parameters and one declaration make a tool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from napari_framewise.engine.work import Rows
from napari_framewise.framework.framemap.declaration import (
    MOST_SAMPLED,
    Column,
    Declared,
    Filtered,
    FrameMapParameters,
    Image,
    Result,
    channels_parameter,
    result_parameter,
)
from napari_framewise.framework.framemap.prepared import sample
from napari_framewise.framework.framemap.running import advise, plan, preview, run
from napari_framewise.framework.inputs import Input, Inputs, Kind
from napari_framewise.framework.tool import Menu, Tool
from napari_framewise.stacks.source import Array

__all__ = [
    "MOST_SAMPLED",
    "Column",
    "Filtered",
    "FrameMap",
    "FrameMapParameters",
    "Image",
    "Result",
    "Rows",
    "channels_parameter",
    "result_parameter",
]


@dataclass(frozen=True, kw_only=True)
class FrameMap(Declared):
    """A filter of frames as a tool: run, preview, plan and layers follow from what it declares.

    Results keep the order of axes, grid and channels of the stack; they are lazy, or in memory. A
    frame that is larger than the budget, or takes more than 40 ms, is cut into bands of rows where
    the filter says how far a pixel reaches (`halo`), on threads and clusters and as one looks, with
    the same bits. Whole-frame work leaves the panel free at once when it is cancelled, and its
    result is dropped.

    Attributes
    ----------
    menu : str
        The Layers menu that it stands in.
    sentence : str
        What it does, in one sentence.
    methods : callable
        ``methods(inputs, parameters)``: sentence for the methods part of a paper.
    stack_sentence : str
        What the stack is, for the tooltip.
    citations : tuple of str
        Sources that go with it.
    warm_up : callable, optional
        Compiles what a run needs, so that the first run does not wait.
    compile_seconds : float
        About how long that takes on one processor where nothing is compiled yet.
    """

    menu: Menu = "filter"
    sentence: str
    methods: Callable[[Inputs, Any], str]
    stack_sentence: str = "The frames to filter."
    citations: tuple[str, ...] = ()
    warm_up: Callable[[], None] | None = None
    compile_seconds: float = 0.0

    def sample(
        self, inputs: Inputs, parameters: Any, index: int, most: int | None = None
    ) -> tuple[Array, dict[str, Array | None]]:
        """One of the frames, (1, *frame), and the further inputs, as the function gets them.

        For `settle` and `report`, which nothing interrupts: of frames of more than `most` pixels
        their middle.
        """
        return sample(self, inputs, parameters, index, most)

    @property
    def tool(self) -> Tool[Any]:
        """The tool that this declares."""
        stack = Input("stack", Kind.STACK, "Stack", self.stack_sentence)
        return Tool(
            name=self.name,
            title=self.title,
            menu=self.menu,
            sentence=self.sentence,
            inputs=(stack, *self.inputs, *self.whole),
            parameters=self.parameters,
            run=partial(run, self),
            preview=partial(preview, self),
            plan=partial(plan, self),
            methods=self.methods,
            citations=self.citations,
            settle=self.settle,
            advise=partial(advise, self),
            halo=self.halo,
            warm_up=self.warm_up,
            compile_seconds=self.compile_seconds,
        )
