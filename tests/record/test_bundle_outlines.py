"""Bundle versions read without the bytes of their items."""

from __future__ import annotations

from dataclasses import replace

from orch_tui.models.database import Record
from orch_tui.prepare.bundle import Bundle
from orch_tui.prepare.count import Count, exact_name
from orch_tui.prepare.templates import Template
from orch_tui.record import bundles
from orch_tui.record.bundle_outlines import load_outlines
from tests.record.test_bundles import bundle, item


def without_contents(saved: Bundle) -> Bundle:
    items = tuple(replace(each, data=None, sha256="") for each in saved.items)
    return replace(saved, items=items, template=None)


def test_they_are_the_bundles_without_contents_in_the_order_asked_for(record: Record) -> None:
    exact = exact_name("v4.8")
    size = Count(31, exact, 31, 31)
    counted = item(b"x = 1\n", count=Count(10, exact, 10, 10), shared_with=("bundle-002",))
    one = replace(bundle(counted), template=Template("own", "{items}"), template_count=size)
    first = bundles.save_bundle(record, one)
    second = bundles.save_bundle(record, bundle(item(None), item(b""), bundle_id="c"))
    found = load_outlines(record, [second.version_id, 99, first.version_id])
    assert [*found] == [second.version_id, first.version_id]
    assert found[first.version_id].template_count == size
    assert [*found.values()] == [
        without_contents(bundles.load_bundle(record, bundle_id).bundle) for bundle_id in "cb"
    ]
    assert load_outlines(record, []) == {}
