"""Which runs a figure is of, as a query that History takes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from orch_tui.screens.widgets.safe import one_line


def quoted(value: str) -> str:
    """Write a value of a filter so that it is the whole value; what quotes would break is left
    out."""
    return '"' + one_line(value, 200).replace('"', "") + '"'


def bucket_query(since: str, *, weekly: bool) -> str:
    """Write the query for the runs of a day, or of the week that begins with it."""
    try:
        last = date.fromisoformat(since) + timedelta(days=6 if weekly else 0)
    except ValueError:
        return ""
    return f"since:{since} until:{last} "


def _of_sharing(row: dict[str, Any], session: str) -> str | None:
    match row.get("of"):
        case "session":
            return session or None
        case "day" | "week" as every:
            return bucket_query(str(row["name"]), weekly=every == "week") or None
        case _:
            return "has:bundle "


def write_query(part: str, row: dict[str, Any], *, weekly: bool) -> str | None:
    """Write the query for the runs that a row tells of; None where there is none for them."""

    def of(name: str, key: str) -> str:
        return f"{name}:{quoted(str(row[key]))} " if row.get(key) is not None else ""

    agent = of("agent", "agent_type")
    match part:
        case "by_agent_type" | "worth":
            return agent or None
        case "validations":
            return agent + "has:validation "
        case "costs":
            return agent + of("model", "model")
        case "by_person":
            return of("person", "person") or None
        case "by_machine":
            return of("machine", "machine") or None
        case "by_model" | "corrections":
            return of("model", "model") or None
        case "estimates":
            return agent + "has:usage "
        case "by_context_source" | "context":
            return of("file", "context_source") or None
        case "files":
            return agent + of("file", "path")
        case "sources":
            return agent + of("file", "source")
        case "over_time":
            return bucket_query(str(row["since"]), weekly=weekly) or None
        case "sharing":
            return _of_sharing(row, of("session", "name"))
        case _:
            return None
