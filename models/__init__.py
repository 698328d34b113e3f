"""The tables of the record: Peewee models, the database object, the search index, migrations.

Nothing here knows what the tables mean to a user; that is the engine's, in ``prepare``,
``record`` and ``recall``.
"""
