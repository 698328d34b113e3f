"""Jupyter notebooks as the cells a person wrote, in the percent format that editors know.

The file is JSON with every picture and table that a cell once put out; an agent is handed the
cells, and the texts of the outputs only where they are asked for (nbformat 3 and 4).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

CELLS = "(cells)"
"""Names a notebook's cells without what they put out: what is taken of one by itself."""

OUTPUTS = "(outputs)"
"""Names its cells with the texts that they put out."""


def is_notebook(name: str) -> bool:
    """Whether a file of that name is a notebook."""
    return name.lower().endswith(".ipynb")


def render_notebook(data: bytes, *, outputs: bool) -> bytes | None:
    """Render the cells of a notebook as text; None: it is none that can be read."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    cells = _cells(document)
    if cells is None:
        return None
    text = "\n\n".join("\n".join(_render_cell(cell, outputs)) for cell in cells)
    return f"{text}\n".encode("utf-8", "replace")


def _cells(document: Any) -> list[dict[str, Any]] | None:
    if not isinstance(document, dict):
        return None
    found = document.get("cells")
    if found is None and isinstance(sheets := document.get("worksheets"), list):  # nbformat 3
        found = [
            cell
            for sheet in sheets
            if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)
            for cell in sheet["cells"]
        ]
    if not isinstance(found, list) or not all(isinstance(cell, dict) for cell in found):
        return None
    return found


def _render_cell(cell: dict[str, Any], outputs: bool) -> Iterator[str]:
    kind = cell.get("cell_type")
    source = _joined(cell.get("source", cell.get("input"))).rstrip("\n")
    if kind == "code":
        yield "# %%"
        yield source
    else:
        yield f"# %% [{kind if kind in ('markdown', 'raw') else 'markdown'}]"
        yield from (f"# {line}".rstrip() for line in source.split("\n"))
    found = cell.get("outputs")
    if outputs and isinstance(found, list):
        for output in found:
            if isinstance(output, dict):
                yield from _render_output(output)


def _render_output(output: dict[str, Any]) -> Iterator[str]:
    data = output.get("data")
    kinds = data if isinstance(data, dict) else output
    text = _joined(output.get("text") or kinds.get("text/plain"))
    if output.get("output_type") in ("error", "pyerr"):
        text = f"{_joined(output.get('ename'))}: {_joined(output.get('evalue'))}"
    if text:
        yield "# %% [output]"
        yield from (f"# {line}".rstrip() for line in text.rstrip("\n").split("\n"))
    for kind in kinds:
        if "/" in kind and kind != "text/plain":
            yield f"# ({kind} is left out)"


def _joined(text: Any) -> str:
    if isinstance(text, list):
        return "".join(part for part in text if isinstance(part, str))
    return text if isinstance(text, str) else ""
