"""Texts that were looked into for secrets and hold none, so that each is looked into once.

Kept with the counts of contents, by SHA-256: how many secrets the rules of today count in it, which
is 0. A text in which something was found is looked into again, to say what and where. A verdict
counts where it was come to: an export that is taken in could declare any secret harmless.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

from orch_tui.assets import asset

if TYPE_CHECKING:
    from orch_tui.prepare.count import CountCache
    from orch_tui.prepare.secrets import Secret

REVISION = 4
"""Of how secrets are found, in ``secret_rules`` and ``assigned_secrets``; with another one, and
with other rules in ``assets/secrets.tsv``, every text is looked into anew."""

_PREFIX = "secrets~"


def is_verdict(estimator: str) -> bool:
    """Tell whether what stands there for an estimator are rules, and a count one of secrets."""
    return estimator.startswith(_PREFIX)


@cache
def find_rules_version() -> str:
    """Find out which rules there are, by what they say."""
    return f"{REVISION}~{hashlib.sha256(asset('secrets.tsv').read_bytes()).hexdigest()[:8]}"


class SecretVerdicts:
    """Finds secrets in texts, but for those that are known to hold none."""

    def __init__(self, cache: CountCache | None) -> None:
        """Without a cache every text is looked into."""
        self._cache = cache
        self._clean: dict[str, int] = {}

    def find_in(self, data: bytes, text: str) -> tuple[Secret, ...]:
        """Find what looks like a secret in the text of a source."""
        sha256 = hashlib.sha256(data).hexdigest()
        if self._cache is not None:
            known = self._cache.get_counts([sha256], f"{_PREFIX}{find_rules_version()}")
            if known.get(sha256) == 0:
                return ()
        from orch_tui.prepare.secrets import find_secrets

        found = find_secrets(text)
        if not found:
            self._clean[sha256] = 0
        return found

    def keep(self) -> None:
        """Keep what was found out, at once for all texts."""
        clean, self._clean = self._clean, {}
        if self._cache is not None and clean:
            self._cache.put_counts(f"{_PREFIX}{find_rules_version()}", clean)
