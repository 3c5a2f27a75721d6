"""Makes one table with PEOPLE rows."""

import os

import psycopg

with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("CREATE TABLE person (id int PRIMARY KEY, email text, full_name text)")
    people = [
        (number, f"person{number}@example.org", "Ann Miller")
        for number in range(int(os.environ["PEOPLE"]))
    ]
    connection.cursor().executemany("INSERT INTO person VALUES (%s, %s, %s)", people)
