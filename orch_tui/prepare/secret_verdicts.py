"""Texts that were looked into for secrets and hold none, so that each is looked into once.

Kept with the counts of contents, by SHA-256: how many secrets the rules of today count in it, which
is 0. A text in which something was found is looked into again, to say what and where. A verdict
counts where it was come to: an export that is taken in could declare any secret harmless.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orch_tui.prepare.count import CountCache
    from orch_tui.prepare.secrets import Secret

REVISION = 2
"""Of the rules in ``prepare.secrets``; with other rules every text is looked into anew."""

_PREFIX = "secrets~"


def is_verdict(estimator: str) -> bool:
    """Whether what stands there for an estimator are rules, and a count one of secrets."""
    return estimator.startswith(_PREFIX)


@cache
def find_rules_version() -> str:
    """Find which rules there are: ours, and those of the library, which is not loaded for it."""
    found = PathFinder.find_spec("detect_secrets")
    told = Path(found.origin or "").with_name("__version__.py") if found else Path()
    try:
        version = told.read_bytes()
    except OSError:
        version = b""
    return f"{REVISION}~{hashlib.sha256(version).hexdigest()[:8]}"


class SecretVerdicts:
    """Finds secrets in texts, but for those that are known to hold none."""

    def __init__(self, cache: CountCache | None) -> None:
        """Without a cache every text is looked into."""
        self._cache = cache
        self._clean: defaultdict[str, dict[str, int]] = defaultdict(dict)

    def find_in(self, data: bytes, text: str, name: str) -> tuple[Secret, ...]:
        """Find what looks like a secret in the text of a source of that name."""
        # The suffix tells how a value is written in quotes or without.
        rules = f"{_PREFIX}{find_rules_version()}{os.path.splitext(name)[1][:12]}"
        sha256 = hashlib.sha256(data).hexdigest()
        if self._cache is not None and self._cache.get_counts([sha256], rules).get(sha256) == 0:
            return ()
        from orch_tui.prepare.secrets import find_secrets

        found = find_secrets(text, name)
        if not found:
            self._clean[rules][sha256] = 0
        return found

    def keep(self) -> None:
        """Keep what was found out, at once for all texts."""
        clean, self._clean = self._clean, defaultdict(dict)
        if self._cache is not None:
            for rules, counts in clean.items():
                self._cache.put_counts(rules, counts)
