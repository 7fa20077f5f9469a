from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from napari_framewise.framework.model import Model, Space
from napari_framewise.stacks.source import Array


@pytest.fixture(autouse=True)
def _own_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Model, "kinds", dict(Model.kinds))


@dataclass(frozen=True, eq=False)
class Curve(Model):
    kind: ClassVar[str] = "test curve"

    knots: Array
    order: int
    ends: tuple[tuple[float, float], ...]
    weights: Array | None


SPACE = Space("cells", (4, 5), (0.5, 0.5), ("um", "um"))


def curve(**changes: Any) -> Curve:
    given = {"knots": np.arange(3.0), "order": 2, "ends": ((0.0, 1.0), (2.0, 3.0)), "weights": None}
    return Curve(SPACE, SPACE, **{**given, **changes})


def test_a_model_says_what_it_is_made_of() -> None:
    model = curve(weights=np.ones(2))
    assert set(model.arrays()) == {"knots", "weights"}
    assert set(curve().arrays()) == {"knots"}
    assert curve().plain() == {
        "source": {"layer": "cells", "shape": (4, 5), "scale": (0.5, 0.5), "units": ("um", "um")},
        "target": {"layer": "cells", "shape": (4, 5), "scale": (0.5, 0.5), "units": ("um", "um")},
        "order": 2,
        "ends": ((0.0, 1.0), (2.0, 3.0)),
        "weights": None,
    }


def test_a_restored_model_is_the_same() -> None:
    def as_json(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: as_json(each) for key, each in value.items()}
        return [as_json(each) for each in value] if isinstance(value, tuple) else value

    model = curve()
    again = Curve.restored(as_json(model.plain()), model.arrays())
    assert (again.source, again.target, again.order) == (SPACE, SPACE, 2)
    assert again.ends == model.ends
    assert again.knots is model.knots


def test_changing_what_plain_gives_leaves_the_model_alone() -> None:
    model = curve()
    model.plain()["source"]["layer"] = "other"
    assert model.source.layer == "cells"


@pytest.mark.parametrize("change", ["missing", "unknown"])
def test_other_fields_are_refused(change: str) -> None:
    plain = curve().plain()
    if change == "missing":
        del plain["order"]
    else:
        plain["colour"] = 1
    with pytest.raises(ValueError, match="it was written by another version"):
        Curve.restored(plain, curve().arrays())


def test_a_model_needs_a_kind_of_its_own() -> None:
    with pytest.raises(TypeError, match="needs a class attribute 'kind'"):
        type("Nameless", (Model,), {})
    with pytest.raises(TypeError, match="needs a class attribute 'kind'"):
        type("Heir", (Curve,), {})


def test_a_kind_is_known_by_its_name() -> None:
    assert Model.kinds["test curve"] is Curve
