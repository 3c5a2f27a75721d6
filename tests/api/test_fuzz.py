"""What Schemathesis invents is answered as the document says; `make fuzz` asks for more of it."""

import pytest

from tools import fuzz

pytestmark = pytest.mark.long

FEW = ["--max-examples", "4", "--seed", "20261121"]
LEAST = 1_000


@pytest.fixture(scope="module")
def outcome():
    return fuzz.run(FEW)


def test_every_answer_is_as_documented(outcome):
    assert outcome.passed, outcome.printed


def test_nothing_that_is_sent_breaks_the_server(outcome):
    assert outcome.statuses.total() > LEAST, outcome.printed
    assert [status for status in outcome.statuses if status >= 500] == []


def test_both_good_and_bad_requests_were_among_them(outcome):
    """A run that is refused at the door has tried nothing."""
    assert outcome.statuses[200] > 100
    assert outcome.statuses[400] > 100
    assert outcome.statuses[422] > 100
