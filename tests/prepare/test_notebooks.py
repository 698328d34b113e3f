"""Notebooks as their cells."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from orch_tui.errors import SourceError
from orch_tui.prepare.notebooks import render_notebook
from orch_tui.prepare.sources import SourceReader

NOTEBOOK = {
    "nbformat": 4,
    "metadata": {},
    "cells": [
        {"cell_type": "markdown", "source": ["# Title\n", "\n", "More."]},
        {
            "cell_type": "code",
            "source": "x = 1\nprint(x)\n",
            "outputs": [
                {"output_type": "stream", "text": ["1\n"]},
                {"output_type": "display_data", "data": {"image/png": "iVBOR" * 9999}},
                {"output_type": "execute_result", "data": {"text/plain": "2", "text/html": "<b>"}},
                {"output_type": "error", "ename": "ValueError", "evalue": "no"},
            ],
        },
        {"cell_type": "code", "source": "y = 2"},
    ],
}
CELLS = """\
# %% [markdown]
# # Title
#
# More.

# %%
x = 1
print(x)

# %%
y = 2
"""
OUTPUTS = """\
# %% [output]
# 1
# (image/png is left out)
# %% [output]
# 2
# (text/html is left out)
# %% [output]
# ValueError: no
"""


def _reader(folder: Path, name: str = "a.ipynb", document: object = NOTEBOOK) -> SourceReader:
    (folder / name).write_text(json.dumps(document))
    return SourceReader(folder, folder)


def test_a_notebook_is_its_cells_and_their_outputs_only_where_they_are_asked_for(
    tmp_path: Path,
) -> None:
    reader = _reader(tmp_path)
    for source in ("a.ipynb", "a.ipynb#(cells)", "*.ipynb", "."):
        (found,) = reader.read_source(source)
        assert (found.name, found.sections, found.text) == ("a.ipynb", ("(cells)",), CELLS)
    (whole,) = reader.read_source("a.ipynb#(outputs)")
    assert OUTPUTS in whole.text and "iVBOR" not in whole.text
    assert whole.text.replace(OUTPUTS, "") == CELLS
    (raw,) = reader.read_source("a.ipynb:1-1")
    assert raw.data == (tmp_path / "a.ipynb").read_bytes()
    with pytest.raises(SourceError, match="is a notebook"):
        reader.read_source("a.ipynb#Title")


def test_an_older_notebook_has_its_cells_in_sheets(tmp_path: Path) -> None:
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["a = 1"]}]}]}
    (found,) = _reader(tmp_path, document=old).read_source("a.ipynb")
    assert found.text == "# %%\na = 1\n"


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"{}", b'{"cells": 1}', b'{"cells": [1]}', b"\xff", b"[" * 99_999]
)
def test_what_is_no_notebook_is_taken_as_it_is(tmp_path: Path, data: bytes) -> None:
    assert render_notebook(data, outputs=True) is None
    (tmp_path / "a.ipynb").write_bytes(data)
    reader = replace(SourceReader(tmp_path, tmp_path), max_bytes=1_000_000)
    with pytest.raises(SourceError, match="holds no notebook"):
        reader.read_source("a.ipynb#(cells)")
    if data not in (b"\xff",):
        (found,) = reader.read_source("a.ipynb")
        assert (found.sections, found.data) == ((), data)


@pytest.mark.parametrize(
    "cell",
    [{}, {"cell_type": 1, "source": 2}, {"cell_type": "code", "outputs": 3}]
    + [{"cell_type": "code", "source": ["a", 1], "outputs": [4, {"data": 5, "text": {}}]}],
)
def test_cells_of_any_form_are_rendered(cell: object) -> None:
    assert render_notebook(json.dumps({"cells": [cell]}).encode(), outputs=True) is not None
