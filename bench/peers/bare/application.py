"""The least that a Flask application can do: words, and one row of an indexed table as JSON."""

import os

from flask import Flask, jsonify
from psycopg_pool import ConnectionPool

app = Flask(__name__)
pool = ConnectionPool(
    os.environ["DATABASE_URL"], min_size=8, max_size=8, open=False, kwargs={"autocommit": True}
)


@app.get("/words")
def words():
    return "Ann Miller"


@app.get("/person/<int:number>")
def person(number):
    pool.open()  # after the server has forked; does nothing the next time
    with pool.connection() as connection:
        wanted = "SELECT id, email, full_name FROM person WHERE id = %s"
        found = connection.execute(wanted, (number,)).fetchone()
    return jsonify(dict(zip(("id", "email", "full_name"), found, strict=True)))
