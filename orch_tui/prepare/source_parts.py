"""The parts of a file that a source names: headings, symbols, cells, lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orch_tui.errors import SourceError
from orch_tui.prepare import sections
from orch_tui.prepare.encoding import decode_text, encode_part
from orch_tui.prepare.notebooks import CELLS, OUTPUTS, is_notebook, render_notebook


def cut_parts(data: bytes, name: str, parts: Sequence[str], *, source: str) -> bytes:
    """Cut headings or symbols out of the data of a file called ``name``, in the order of the text.

    Raises:
        SourceError: one is not there, with ``source`` and the nearest names.
    """
    from orch_tui.prepare import outline

    if is_notebook(name):
        return _cut_notebook(data, parts, source)
    return encode_spans(
        data, outline.find_part_spans(decode_text(data), name, parts, source=source)
    )


def _cut_notebook(data: bytes, parts: Sequence[str], source: str) -> bytes:
    """The cells of a notebook, with what they put out where any of the parts asks for that."""
    if not {*parts} <= {CELLS, OUTPUTS}:
        raise SourceError(source, "is a notebook", hint=f"its parts are {CELLS} and {OUTPUTS}")
    cells = render_notebook(data, outputs=OUTPUTS in parts)
    if cells is None:
        raise SourceError(source, "holds no notebook that can be read")
    return cells


def encode_spans(data: bytes, spans: Iterable[sections.Span]) -> bytes:
    """Encode spans of the text of ``data`` as the whole is, so that they can be read like it."""
    text = decode_text(data)
    return encode_part("".join(text[start:end] for start, end in spans), data)
