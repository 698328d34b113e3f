"""How much text a record holds: what all sizes are told as a multiple of."""

from __future__ import annotations

import json

from orch_tui.models.database import Record
from orch_tui.models.stored_bytes import unpack_text


def bytes_of_text(record: Record) -> int:
    """Count the text of all runs: scopes, outputs, the words of briefings, and every content.

    Final messages and the files that briefings quote are contents, each counted once however many
    runs have it. UTF-8 bytes.
    """
    columns: int = record.value(
        "SELECT (SELECT coalesce(sum(length(CAST(scope AS BLOB))), 0) FROM agent_executions)"
        " + (SELECT coalesce(sum(length(CAST(content AS BLOB))), 0) FROM outputs)"
        " + (SELECT coalesce(sum(size), 0) FROM contents WHERE encoding <> 'gone')"
    )
    return columns + sum(
        len(words.encode("utf-8", "surrogateescape"))
        for (parts,) in record.execute("SELECT parts FROM briefings")
        for kind, words in json.loads(unpack_text(parts))
        if kind == "text"
    )
