"""The database of the models: whichever record the context names.

The models are bound to ``database`` when they are defined. It has no connection of its own; it
takes the one of the `Record` whose ``models()`` encloses the query. `Model.bind` and
`Database.bind_ctx` would do it for the whole process: one thread would read another's record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from peewee import Delete, Insert, SqliteDatabase, Update

from orch_tui.errors import RecordError

if TYPE_CHECKING:
    import sqlite3

    from orch_tui.models.database import Record

_CURRENT: ContextVar[Record] = ContextVar("record_of_the_models")


class RecordRouter(SqliteDatabase):
    """Hands each query to the record of the current context (thread, asyncio task).

    Errors are those of a record; only what a constraint refuses stays ``peewee.IntegrityError``,
    which Peewee itself catches in ``get_or_create``.
    """

    def __init__(self) -> None:
        super().__init__(None)

    @property
    def record(self) -> Record:
        """The record that the context names.

        Raises:
            RecordError: none.
        """
        try:
            return _CURRENT.get()
        except LookupError:
            raise RecordError(
                "the models were asked without a record",
                hint="ask within `with record.models():`; each thread needs its own",
            ) from None

    @contextmanager
    def use_record(self, record: Record) -> Iterator[None]:
        """Have the queries of this context go to ``record``; the former comes back at the end."""
        token = _CURRENT.set(record)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    # The connection is the record's

    def connection(self) -> sqlite3.Connection:
        return self.record.connection

    def cursor(self, named_cursor: str | None = None) -> sqlite3.Cursor:
        return self.record.cursor()

    def is_closed(self) -> bool:
        return _CURRENT.get(None) is None

    def connect(self, reuse_if_open: bool = False) -> bool:
        """Only see that there is a record: it opens its connections itself."""
        return self.record is None

    def close(self) -> bool:
        """Nothing: the record closes its connections itself."""
        return False

    # Transactions are the record's, too

    def execute(self, query: Any, **context_options: Any) -> Any:
        """Run a query; one that writes is a transaction of the record, or a part of it."""
        if not isinstance(query, Insert | Update | Delete):
            return self._run(query, context_options)
        with self.record.write():
            cursor = self._run(query, context_options)
            if cursor.description:  # RETURNING: nothing commits before its rows are fetched
                cursor.hold_rows()
            return cursor

    def _run(self, query: Any, context_options: dict[str, Any]) -> Any:
        return super().execute(query, **context_options)  # type: ignore[no-untyped-call]

    @contextmanager
    def atomic(self, *args: Any, **kwargs: Any) -> Iterator[Any]:  # type: ignore[override]
        """All or nothing: `Record.write`, and within one a savepoint."""
        with self.record.write(), self.savepoint() as savepoint:
            yield savepoint

    transaction = atomic  # type: ignore[assignment]

    def in_transaction(self) -> bool:
        return self.record.connection.in_transaction

    def transaction_depth(self) -> int:
        return int(self.in_transaction())

    def begin(self, *args: Any, **kwargs: Any) -> None:
        raise self._refusal

    def commit(self) -> None:
        raise self._refusal

    def rollback(self) -> None:
        raise self._refusal

    def after_commit(self, fn: Callable[[], Any]) -> Callable[[], Any]:
        raise self._refusal

    @property
    def _refusal(self) -> RecordError:
        """Nothing ends or begins a transaction behind the record's back."""
        return RecordError(
            "transactions of the models are those of their record",
            hint="use `with record.write():` or `with database.atomic():`",
        )


database = RecordRouter()
