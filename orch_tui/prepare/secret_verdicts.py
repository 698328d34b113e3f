"""Texts that were looked into for secrets and hold none, so that each is looked into once.

Kept with the counts of contents, by SHA-256: how many secrets the rules of today count in it, which
is 0. A text in which something was found is looked into again, to say what and where. A verdict
counts where it was come to: an export that is taken in could declare any secret harmless.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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
        """Those that were found out since `keep`."""
        self._looked_into: set[str] = set()
        """Those that hold none, of which `look_into` was told."""

    def look_into(self, texts: Sequence[tuple[bytes, str]]) -> None:
        """Look into many texts, on all cores: `find_in` knows those that hold none then."""
        of_digest = {hashlib.sha256(data).hexdigest(): text for data, text in texts}
        for sha256 in self._get_known(list(of_digest)):
            del of_digest[sha256]
            self._looked_into.add(sha256)
        from orch_tui.prepare.all_cores import count_on_all_cores

        numbers = count_on_all_cores(_count_secrets, list(of_digest.values()))
        clean = [sha256 for sha256, n in zip(of_digest, numbers, strict=True) if not n]
        self._looked_into.update(clean)
        self._clean |= dict.fromkeys(clean, 0)

    def find_in(self, data: bytes, text: str) -> tuple[Secret, ...]:
        """Find what looks like a secret in the text of a source."""
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 in self._looked_into or self._get_known([sha256]):
            return ()
        from orch_tui.prepare.secrets import find_secrets

        found = find_secrets(text)
        if not found:
            self._clean[sha256] = 0
        return found

    def _get_known(self, digests: list[str]) -> list[str]:
        """Those of some texts that are known to hold none."""
        if self._cache is None:
            return []
        known = self._cache.get_counts(digests, f"{_PREFIX}{find_rules_version()}")
        return [sha256 for sha256, count in known.items() if count == 0]

    def keep(self) -> None:
        """Keep what was found out, at once for all texts."""
        clean, self._clean = self._clean, {}
        if self._cache is not None and clean:
            self._cache.put_counts(f"{_PREFIX}{find_rules_version()}", clean)


def _count_secrets(text: str) -> int:
    from orch_tui.prepare.secrets import find_secrets

    return len(find_secrets(text))
