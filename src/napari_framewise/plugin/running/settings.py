"""What the user set under Preferences, and the engine that follows from it."""

from __future__ import annotations

import threading
from dataclasses import replace

from napari.settings import get_plugin_settings

from napari_framewise.engine import Engine
from napari_framewise.engine.plan import MIB

PLUGIN = "napari-framewise"
_lock = threading.Lock()
_made: dict[tuple[str, int, int], Engine] = {}


def current_engine() -> Engine:
    """The engine of the Preferences: threads of this process, or a cluster.

    It may wait for a scheduler: call it in a worker thread.

    Raises
    ------
    ValueError
        Where no scheduler answers at the address.
    """
    chosen = get_plugin_settings(PLUGIN).engine
    address = str(chosen.scheduler).strip()
    key = (address, int(chosen.threads), int(chosen.memory))
    with _lock:
        if key not in _made:
            engine = Engine.cluster(address) if address else Engine.local(key[1] or None)
            close_engines()
            _made[key] = replace(engine, budget=key[2] * MIB)
        return _made[key]


def close_engines() -> None:
    """Give back what earlier settings opened."""
    while _made:
        _made.popitem()[1].close()
