from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import napari_framewise as fw


def test_every_public_name_is_there() -> None:
    assert set(dir(fw)) == {*fw.__all__, "__version__"}
    for name in dir(fw):
        assert getattr(fw, name) is not None


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(fw.__file__).read_text(encoding="utf-8"))
    seen = {
        alias.asname: f"{node.module}"
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {name: fw._HOMES[name] for name in fw.__all__}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'knitting'"):
        fw.knitting  # noqa: B018 - asking is the test


def test_importing_loads_nothing() -> None:
    script = (
        "import sys, napari_framewise; loaded = set(sys.modules);"
        "print(*loaded & {'napari', 'numpy', 'numba', 'zarr', 'pydantic', 'qtpy'})"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""
