"""What a command that records answers: a line, or with ``--format json`` one object.

Each command has one shape of it. What is remarked on stands in it, too, and on standard error as
ever.
"""

from __future__ import annotations

import argparse
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from orch_tui.cli.printing import as_row, print_object

if TYPE_CHECKING:
    from orch_tui.prepare.budget import LimitGauge


def add_answer_format(parser: argparse.ArgumentParser) -> None:
    """``--format``, for commands that answer in a line."""
    parser.add_argument(
        "--format",
        choices=("text", "json"),
        default="text",
        help="of the answer; default: %(default)s",
    )


def add_object_format(parser: argparse.ArgumentParser) -> None:
    """``--format``, for commands whose answer is one JSON object and nothing else."""
    parser.add_argument(
        "--format", choices=("json",), default="json", help="one object; default: %(default)s"
    )


def print_answer(arguments: Namespace, line: str, **facts: Any) -> None:
    """Print the answer as a line, or the facts as one object."""
    if arguments.format == "json":
        print_object(facts)
    elif line:
        print(line)


def gauge_to_dict(gauge: LimitGauge) -> dict[str, Any]:
    """A gauge in figures, with what follows from them."""
    row = as_row(gauge)
    for name in ("used", "ambient"):
        count = row.pop(name)
        row[name] = {"tokens": count.tokens, "low": count.low, "high": count.high}
    return {**row, "status": gauge.status, "remaining": gauge.remaining}
