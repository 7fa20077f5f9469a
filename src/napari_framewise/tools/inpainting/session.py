"""Inpainting step by step: a patch of one frame at a time."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

from napari_framewise.engine.progress import Progress
from napari_framewise.framework.inputs import Inputs
from napari_framewise.framework.outcome import Outcome
from napari_framewise.framework.session import Session
from napari_framewise.numerics.inpainting import Filling, Workspace, with_hole
from napari_framewise.tools.inpainting.frames import Given, given_of
from napari_framewise.tools.inpainting.report import Images, outcome_of, refuse_no_hole


@dataclass(frozen=True, eq=False)
class Filled:
    """How far the frames are.

    Attributes
    ----------
    fillings : tuple of Filling
        Of the frames up to the one that is being filled.
    inputs : Inputs
        Whose hole and source these answer to; they may be edited meanwhile.
    """

    fillings: tuple[Filling, ...]
    inputs: Inputs


class InpaintingSession(Session[Filled]):
    """The frames are filled one after the other, a patch a step."""

    steers = ("hole", "source")

    _given: tuple[Inputs, Given] | None = None
    _workspace: tuple[Inputs, int, Workspace] | None = None
    _brought: tuple[Filled, Filled] | None = None
    _images: Images | None = None

    @property
    def given(self) -> Given:
        """Frames, hole and source as they are now."""
        if self._given is None or self._given[0] is not self.inputs:
            self._given = self.inputs, given_of(self.inputs, self.parameters)
        return self._given[1]

    def begin(self) -> Filled:
        """Nothing is filled yet."""
        state = self._moved_on(())
        refuse_no_hole(self.given, state.fillings)
        return state

    def advance(self, state: Filled) -> Generator[Progress, None, Filled]:
        """Fill the next patch."""
        fillings = list(self._up_to_date(state).fillings)
        index = next(k for k, each in enumerate(fillings) if not each.done)
        workspace, filling = self._workspace_of(index), fillings[index]
        count, total = self.given.stack.n_frames, len(filling.hole)
        label = "Filling" if count == 1 else f"Filling frame {index + 1:,} of {count:,}"
        for _ in workspace.step(filling):
            yield Progress(label, total - filling.left, total, "pixels")
        assert workspace.after is not None
        fillings[index] = workspace.after
        yield Progress(label, total - workspace.after.left, total, "pixels")
        return self._moved_on(tuple(fillings))

    def ended(self, state: Filled) -> bool:
        """Whether all frames are filled as far as they can be."""
        return all(each.done for each in self._up_to_date(state).fillings)

    def outcome_of(self, state: Filled) -> Outcome:
        """The frames so far."""
        if self._images is None:
            self._images = Images(self.given.stack)
        return outcome_of(self.given, self._up_to_date(state).fillings, self._images)

    def _workspace_of(self, index: int) -> Workspace:
        at = self._workspace
        if at is None or at[0] is not self.inputs or at[1] != index:
            at = self.inputs, index, self.given.workspace(index)
            self._workspace = at
        return at[2]

    def _up_to_date(self, state: Filled) -> Filled:
        """A state with the hole and source as they are now."""
        if state.inputs is self.inputs:
            return state
        if self._brought is None or self._brought[0] is not state or (
            self._brought[1].inputs is not self.inputs
        ):  # fmt: skip
            fillings = tuple(
                replace(with_hole(each, self.given.begun(index).target), stuck=False)
                for index, each in enumerate(state.fillings)
            )
            self._brought = state, self._moved_on(fillings)
        return self._brought[1]

    def _moved_on(self, fillings: tuple[Filling, ...]) -> Filled:
        """Go on to the first frame that has something left to fill."""
        known, count = list(fillings), self.given.stack.n_frames
        while len(known) < count and all(each.done for each in known[-1:]):
            known.append(self.given.begun(len(known)))
        return Filled(tuple(known), self.inputs)
