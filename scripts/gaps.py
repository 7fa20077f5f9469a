"""How long a window stands still, and how soon checks and previews follow: for every tool.

Run under a display: python scripts/gaps.py [TOOL ...]

Each tool in a process of its own: its panel is opened on a sample and previewed at the defaults; a
labels layer is painted, undone and erased as its mask, a shape's vertex moved. Prints the longest
time without a turn of the window's loop while the panel opens, in milliseconds of the clock and of
the processor, and how long it took until the panel was at rest after each change.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from qtpy.QtCore import QTimer
from window import opened, settle, wait

from napari_framewise.tools.registry import TOOLS

SAMPLE_OF = {
    "unmixing": "bands",
    "alignment": "drifting",
    "residual_motion": "drifting",
    "flow": "known_flow",
    "fill": "index_image",
    "smooth": "index_image",
    "gradient": "index_image",
}
_WARM = 400.0


class Gaps:
    """The longest times without a turn of the window's loop."""

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.timeout.connect(self._turn)
        self.start()

    def start(self) -> None:
        """Count anew."""
        self.clock = self.processor = 0.0
        self._last = time.perf_counter(), time.thread_time()
        self._timer.start(1)

    def _turn(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self.clock = max(self.clock, now[0] - self._last[0])
        self.processor = max(self.processor, now[1] - self._last[1])
        self._last = now


def until_rest(panel: Any, change: Callable[[], Any]) -> float:
    """Seconds from a change until the panel has followed it."""
    start = time.perf_counter()
    change()
    wait(lambda: not panel.at_work)
    took = time.perf_counter() - start
    settle(0.3)
    return took


def measure(name: str) -> None:
    viewer = opened(SAMPLE_OF.get(name, "two_references"))
    settle(1.0)
    gaps = Gaps()
    settle(0.2)
    gaps.start()
    _, shell = viewer.window.add_plugin_dock_widget("napari-framewise", get_title(name))
    wait(lambda: shell.panel is not None)
    settle(0.5)
    opening = f"{1e3 * gaps.clock:.0f} ({1e3 * gaps.processor:.0f})"
    panel = shell.panel
    end = time.monotonic() + _WARM
    while panel.at_work or panel._warming.busy:
        if time.monotonic() > end:
            raise SystemExit("It never came to rest.")
        settle(0.05)
    found = [f"opening {opening} ms"]
    if not panel.bar.preview_box.isEnabled():
        print(f"{name}: {found[0]}; cannot run: {panel.bar.message}", flush=True)
        return
    until_rest(panel, lambda: panel.bar.preview_box.setChecked(True))
    panel.bar.preview_box.setChecked(False)
    settle(0.5)
    took = until_rest(panel, lambda: panel.bar.preview_box.setChecked(True))
    found.append(f"preview {1e3 * took:.0f} ms")
    if "mask" in panel.inputs_form.roles:
        found += masked(viewer, panel)
    print(f"{name}: {', '.join(found)}", flush=True)
    viewer.close()


def masked(viewer: Any, panel: Any) -> list[str]:
    stack = next(layer for layer in viewer.layers if layer.ndim >= 2)
    shape = stack.data.shape[-2:] if not getattr(stack, "rgb", False) else stack.data.shape[-3:-1]
    picker = panel.inputs_form.roles["mask"].pickers[0]
    labels = viewer.add_labels(np.ones(shape, int), scale=stack.scale[-2:], name="painted")
    picker.choose(labels)
    wait(lambda: not panel.at_work)
    settle(0.5)
    changes: dict[str, Callable[[], Any]] = {
        "painting": lambda: labels.paint((5, 5), 2),
        "erasing": lambda: labels.paint((9, 9), 0),
        "undoing": labels.undo,
    }
    found = [f"{name} {1e3 * until_rest(panel, each):.0f} ms" for name, each in changes.items()]
    corners = np.array([[1, 1], [1, shape[1] - 2], [shape[0] - 2, shape[1] - 2]], float)
    shapes = viewer.add_shapes([corners], shape_type="polygon", scale=stack.scale[-2:])
    picker.choose(shapes)
    wait(lambda: not panel.at_work)
    settle(0.5)

    def move() -> None:
        shapes.data = [corners - np.array([[0, 0], [0, 3], [0, 0]])]

    return [*found, f"moving a vertex {1e3 * until_rest(panel, move):.0f} ms"]


def get_title(name: str) -> str:
    from npe2 import PluginManager

    manifest = PluginManager.instance().get_manifest("napari-framewise")
    command = f"napari-framewise.{name}"
    return next(w.display_name for w in manifest.contributions.widgets if w.command == command)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measure(sys.argv[2])
    else:
        for each in sys.argv[1:] or TOOLS:
            subprocess.run([sys.executable, __file__, "--one", each], check=False)
