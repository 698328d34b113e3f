"""The real client runs only where it is asked for by its mark."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the scenarios out, except where ``-m`` names them."""
    if "client" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("client")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
