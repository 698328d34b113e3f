"""The catalogue beside the table of models that a client reports.

    python -m tests.generate.models TABLE

``TABLE`` has a line for each name, separated by tabs: the name asked for, the model that is sent,
its window, the most it answers, USD per million tokens of input and of output, and what a thousand
million tokens written to the cache for five minutes cost with a thousand written for an hour and a
million read. Prints what differs, and ends with 1 where anything does.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from orch_tui.prepare.catalogue import Catalogue, load_catalogue


def find_differences(rows: Iterable[list[str]], catalogue: Catalogue) -> Iterator[str]:
    """Compare each row of a client's table with the catalogue; says what differs."""
    for asked, sent, window, _, *prices in rows:
        ours = catalogue.model(asked)
        if ours.assumed:
            yield f"{asked}: the catalogue does not know it; the client sends {sent}"
            continue
        named = sent.removesuffix("[1m]")
        if catalogue.model(named).model_id != ours.model_id:
            yield f"{asked}: the client sends {sent}, not {ours.model_id}"
        if ours.window != int(window):
            yield f"{asked}: its window is {int(window):,} tokens, not {ours.window:,}"
        price = ours.price(10**9)
        if price is None:
            yield f"{asked}: has no price; the client has {', '.join(prices)}"
            continue
        written = price.cache_write_5m * 1e3 + price.cache_write_1h / 1e3 + price.cache_read
        for what, mine, theirs in zip(
            ("input", "output", "cache"), (price.input, price.output, written), prices, strict=True
        ):
            if abs(mine - float(theirs)) > 1e-6:
                yield f"{asked}: {what} costs {theirs}, not {mine:g}"


def main() -> int:
    with Path(sys.argv[1]).open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    differences = list(find_differences(rows, load_catalogue()))
    print("\n".join(differences) or f"{len(rows)} names, nothing differs")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
