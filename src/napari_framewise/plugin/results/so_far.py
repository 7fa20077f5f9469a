"""What a run has so far, in the viewer and on the result page."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.layers import Layer
from qtpy.QtCore import QObject, Signal

from napari_framewise.plugin.layers.layers_out import SO_FAR_SUFFIX
from napari_framewise.plugin.layers.passing_layers import PassingLayers
from napari_framewise.plugin.results.record import RecordSoFar
from napari_framewise.plugin.results.result_page import ResultPage


class ResultSoFar(QObject):
    """Shows partial results in place, and hands them over where the run ends or is stopped.

    `begun` tells of the first one of a run.
    """

    begun = Signal()

    def __init__(
        self, viewer: ViewerModel, page: ResultPage, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._page = page
        self._shown = False
        self._layers = PassingLayers(viewer, lambda name: f"{name}{SO_FAR_SUFFIX}", self)

    @property
    def busy(self) -> bool:
        """Whether layers are still to come or to go."""
        return self._layers.busy

    def show(self, partial: RecordSoFar) -> None:
        """Show one in place of the one before."""
        record = partial.record
        if not self._shown:
            self.begun.emit()
        turn, self._shown = not self._shown, True
        self._layers.show(
            partial.outcome,
            record.layer_of,
            {"unfinished": True},
            first=lambda: self._page.show_so_far(record, turn_to_it=turn),
        )

    def take(self, partial: RecordSoFar) -> None:
        """Take one as the result: the run was stopped."""
        self._page.take(partial.stopped(), self.release())

    def drop(self) -> None:
        """Leave nothing of them."""
        if self._shown:
            self._shown = False
            self._layers.clear()
            self._page.show_again()

    def release(self) -> dict[str, Layer]:
        """Hand the layers over: the run has ended, and its results take their places."""
        self._shown = False
        return self._layers.release()

    def close(self) -> None:
        """Take the layers away before anything else happens."""
        self._layers.clear_now()
