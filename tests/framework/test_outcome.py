from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.helpers.toolbox import Space, Translation

from napari_framewise.framework.outcome import ImageResult, Outcome, Table
from napari_framewise.stacks.axes import Axis
from napari_framewise.stacks.grid import Grid

SPACE = Space("a", (2, 2), (1.0, 1.0), ("pixel", "pixel"))
TABLE = Table("sizes", "object", {"object": [0, 1], "size": [3.0, 4.0]})
OTHER = Table("others", "frame", {"frame": [0]})
IMAGE = ImageResult("mean", np.zeros((2, 2)), Grid((Axis("y"), Axis("x"))))
MODEL = Translation(SPACE, SPACE, np.zeros((1, 2)))


def test_a_table_has_rows() -> None:
    assert len(TABLE) == 2
    assert TABLE.row(1) == {"object": 1, "size": 4.0}
    assert len(Table("empty", "frame", {})) == 0


@pytest.mark.parametrize("columns", [{"a": [1], "b": [1, 2]}, {"a": [[1, 2]]}, {"a": 1}])
def test_columns_that_do_not_fit_together_are_refused(columns: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="one-dimensional columns of one length are needed"):
        Table("odd", "frame", columns)  # type: ignore[arg-type]


def test_results_are_found_by_name_or_alone() -> None:
    outcome = Outcome(layers=(IMAGE,), tables=(TABLE, OTHER), models=(MODEL,))
    assert outcome.table("others") is OTHER
    assert outcome.layer() is outcome.layer("mean") is IMAGE
    assert outcome.model() is outcome.model("translation") is MODEL


def test_a_layer_is_found_without_the_name_of_its_input() -> None:
    place = IMAGE.grid
    names = ("cells mean", "cells own mean", "mean")
    layers = tuple(ImageResult(name, np.zeros((2, 2)), place) for name in names)
    assert Outcome(layers=layers[:1]).layer("mean") is layers[0]
    assert Outcome(layers=layers).layer("mean") is layers[2]
    assert Outcome(layers=layers).layer("own mean") is layers[1]
    with pytest.raises(ValueError, match="The layer 'mean' was asked for"):
        Outcome(layers=layers[:2]).layer("mean")


def test_a_result_that_is_not_there_is_named_with_those_that_are() -> None:
    outcome = Outcome(tables=(TABLE, OTHER))
    with pytest.raises(ValueError, match="One table was asked for; the tables are: sizes, others"):
        outcome.table()
    with pytest.raises(ValueError, match="The table 'x' was asked for"):
        outcome.table("x")
    with pytest.raises(ValueError, match="The layer 'x' was asked for; the layers are: none"):
        outcome.layer("x")
    with pytest.raises(ValueError, match="One model was asked for; the models are: none"):
        outcome.model()


def test_layers_named_by_what_differs_are_found_by_it_and_by_their_old_names() -> None:
    layers = tuple(
        replace(IMAGE, name=f"{own} of cells") for own in ("fit", "residual", "mean residual")
    )
    outcome = Outcome(layers=layers)
    for name in ("residual", "residual of cells", "cells residual"):
        assert outcome.layer(name) is layers[1]
    assert outcome.layer("cells mean residual") is layers[2]
