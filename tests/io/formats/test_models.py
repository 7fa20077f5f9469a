from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from tests.helpers.toolbox import Translation

from napari_framewise.framework.model import Model, Space
from napari_framewise.io.formats.models import read_model, write_model

SPACE = Space("cells", (4, 5), (0.5, 0.25), ("um", "um"))


def model(shifts: Any = ((0.5, np.nan), (1e-300, -np.inf))) -> Translation:
    return Translation(SPACE, SPACE, np.array(shifts))


def test_a_model_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    path = tmp_path / "shifts.npz"
    write_model(model(), path)
    again = read_model(path)
    assert isinstance(again, Translation)
    assert (again.source, again.target) == (SPACE, SPACE)
    assert again.shifts.tobytes() == model().shifts.tobytes()
    assert [each.name for each in tmp_path.iterdir()] == ["shifts.npz"]


def test_a_file_holds_nothing_pickled(tmp_path: Path) -> None:
    path = tmp_path / "model.any"
    write_model(model(), path)
    with np.load(path, allow_pickle=False) as file:
        header = json.loads(file["header"].tobytes())
        np.testing.assert_array_equal(file["array.shifts"], model().shifts)
    assert header["kind"] == "translation"


def test_an_older_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "shifts.npz"
    write_model(model(), path)
    write_model(model([[7.0, 8.0]]), path)
    np.testing.assert_array_equal(read_model(path).shifts, [[7.0, 8.0]])  # type: ignore[attr-defined]


def test_plain_values_keep_their_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Model, "kinds", dict(Model.kinds))

    @dataclass(frozen=True, eq=False)
    class Bag(Model):
        kind: ClassVar[str] = "test bag"

        number: float
        order: tuple[tuple[int, int], ...]
        title: str
        missing: None
        flags: Any

    path = tmp_path / "bag.npz"
    flags = np.array([True, False])
    write_model(Bag(SPACE, SPACE, np.float32(0.1), ((1, 2), (3, 4)), "µ", None, flags), path)  # type: ignore[arg-type]
    again = read_model(path)
    assert isinstance(again, Bag)
    assert (again.order, again.title, again.missing) == (((1, 2), (3, 4)), "µ", None)
    assert again.number == float(np.float32(0.1))
    assert again.flags.dtype == bool


@pytest.mark.parametrize("field", [np.array([{}], object), object()])
def test_what_no_file_can_keep_is_refused(tmp_path: Path, field: Any) -> None:
    path = tmp_path / "odd.npz"
    with pytest.raises(ValueError, match=r"The field shifts|The translation model can't be saved"):
        write_model(Translation(SPACE, SPACE, field), path)
    assert list(tmp_path.iterdir()) == []


def _nothing(path: Path) -> None:
    path.write_bytes(b"")


def _text(path: Path) -> None:
    path.write_text("not a model")


def _pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Exploding()))


def _array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def _archive(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, frames=np.zeros(3))


def _pickled_header(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, header=np.array([Exploding()], object))


def _cut_off(path: Path) -> None:
    write_model(model(), path)
    path.write_bytes(path.read_bytes()[:-200])


def _damaged(path: Path) -> None:
    write_model(model(np.zeros((500, 2))), path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(bytes(content))


def _odd_header(path: Path) -> None:
    _with_header(path, ["a", "list"])


def _with_header(path: Path, header: Any) -> None:
    with path.open("wb") as file:
        np.savez(file, header=np.frombuffer(json.dumps(header).encode(), np.uint8))


class Exploding:
    def __reduce__(self) -> Any:
        return (pytest.fail, ("a pickle was executed",))


@pytest.mark.parametrize(
    "make",
    [_nothing, _text, _pickle, _array, _archive, _pickled_header, _cut_off, _damaged, _odd_header],
)
def test_what_is_no_model_is_said_in_a_sentence(tmp_path: Path, make: Any) -> None:
    path = tmp_path / "bad.npz"
    make(path)
    with pytest.raises(ValueError, match=r"is not a model file, or it is broken") as caught:
        read_model(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_versions_and_kinds_are_named(tmp_path: Path) -> None:
    path = tmp_path / "new.npz"
    _with_header(path, {"schema_version": 9, "kind": "translation", "plain": {}})
    with pytest.raises(ValueError, match="model of schema version 9, but this version reads 1"):
        read_model(path)
    _with_header(path, {"schema_version": 1, "kind": "wormhole", "plain": {}})
    with pytest.raises(ValueError, match=r"holds a wormhole model; the kinds known here are: "):
        read_model(path)


def test_a_file_that_is_not_there_is_not_broken(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_model(tmp_path / "nothing.npz")
