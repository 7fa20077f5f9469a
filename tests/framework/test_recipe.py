from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from napari_framewise import __version__
from napari_framewise.framework.recipe import InputRef, Recipe, Step, versions
from napari_framewise.stacks.stack import Selection

SELECTIONS = st.builds(
    Selection,
    frames_along=st.none() | st.lists(st.integers(0, 4), max_size=3).map(tuple),
    frames=st.none() | st.tuples(st.integers(0, 9), st.integers(9, 99), st.integers(1, 5)),
    channel=st.none() | st.integers(0, 3),
    region=st.none() | st.just(((0, 4), (2, 6))),
)
REFERENCES = st.builds(
    InputRef,
    path=st.text(min_size=1),
    key=st.none() | st.text(),
    selection=SELECTIONS,
    scale=st.none() | st.just((0.1, 0.2)),
    rgb=st.none() | st.booleans(),
)
RECIPES = st.builds(
    Recipe,
    steps=st.lists(
        st.builds(
            Step,
            tool=st.just("mixing"),
            inputs=st.dictionaries(st.text(), st.lists(REFERENCES, max_size=2).map(tuple)),
            parameters=st.dictionaries(st.text(), st.booleans() | st.floats(-1, 1)),
        ),
        max_size=2,
    ).map(tuple),
)


@given(RECIPES)
def test_a_recipe_comes_back_from_json(recipe: Recipe) -> None:
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
    short = recipe.model_dump_json(exclude_defaults=True)
    assert Recipe.model_validate_json(short) == recipe


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ({}, "names no place; it needs one of path, sample, step, memory"),
        ({"path": "a.tif", "step": 0}, "names path and step"),
    ],
)
def test_an_input_is_in_one_place(places: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        InputRef.model_validate(places)


@pytest.mark.parametrize(
    "content", [{"path": "a", "colour": 1}, {"path": "a", "selection": {"frame": [0, 1, 1]}}]
)
def test_words_of_another_version_are_refused(content: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        InputRef.model_validate(content)


def test_paths_are_taken_from_a_folder(tmp_path: Path) -> None:
    elsewhere = tmp_path.anchor + "data"
    assert InputRef(path="a/b.tif").at(tmp_path).path == str(tmp_path / "a" / "b.tif")
    assert InputRef(path="../b.tif").at(tmp_path).path == str(tmp_path.parent / "b.tif")
    assert InputRef(path=elsewhere).at(tmp_path).path == elsewhere
    assert InputRef(sample="s").at(tmp_path) == InputRef(sample="s")


def test_the_versions_are_those_that_decide_the_numbers() -> None:
    assert versions()["napari-framewise"] == __version__
    assert set(versions()) >= {"numpy", "scipy", "numba"}
