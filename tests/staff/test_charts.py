"""Pictures of numbers: their geometry, and when a share is said as two counts."""

from datetime import date, timedelta

import pytest

from portal.staff import charts, findings
from portal.staff.charts import BARS_HEIGHT, BARS_WIDTH, WIDTH, Step
from portal.staff.sums import Domain

DAY = date(2026, 11, 1)


@pytest.fixture(autouse=True)
def words(app):
    """Numbers and dates are written in a language."""
    with app.test_request_context("/"):
        yield


def days(*numbers):
    return charts.bars({DAY + timedelta(days=n): count for n, count in enumerate(numbers)})


@pytest.mark.parametrize(
    "count, of, said",
    [
        (0, 0, "0 of 0"),
        (4, 5, "4 of 5"),
        (9, 9, "9 of 9"),
        (10, 10, "100%"),
        (9, 1000, "9 of 1,000"),
        (10, 1000, "1%"),
        (820, 1000, "82%"),
        (9_999, 10_000, "99%"),
        (10, 1_000_000, "1%"),
    ],
)
def test_numbers_under_ten_are_counts_and_nearly_all_is_not_all(count, of, said):
    assert charts.share(count, of) == said


def test_a_funnel_shows_shares_of_those_who_asked_and_marks_the_biggest_loss():
    steps = charts.steps([("a", 40), ("b", 38), ("c", 10), ("d", 10)], [1.0, 0.9, None, 0.0])
    assert [step.bar for step in steps] == [340, 323, 85, 85]
    assert [step.is_drop for step in steps] == [False, False, True, False]
    assert [step.mark for step in steps] == [WIDTH - 3, 306, None, 3]
    assert [step.everyone_said for step in steps] == ["100%", "90%", "", "0%"]


def test_a_bar_never_leaves_the_picture():
    assert Step("more accepted than asked: yesterday's", 12, 10).bar == WIDTH
    assert Step("nothing", 0, 0).bar == 0
    assert charts.steps([]) == []


@pytest.mark.parametrize(
    "most, top",
    [(0, 2), (2, 2), (3, 4), (10, 10), (11, 20), (101, 200), (799, 800), (999_999, 1_000_000)],
)
def test_a_scale_ends_at_a_round_number_whose_half_is_whole(most, top):
    assert charts.scale(most) == top
    assert top % 2 == 0


@pytest.mark.parametrize("numbers", [[0], [0, 0], [5], [1, 2, 3], list(range(90)), [10**9, 1]])
def test_bars_stand_on_the_axis_side_by_side(numbers):
    chart = days(*numbers)
    for bar, following in zip(chart.bars, chart.bars[1:], strict=False):
        assert bar.x + bar.width < following.x
    for bar in chart.bars:
        assert 0 <= bar.x < bar.x + bar.width <= BARS_WIDTH
        assert 0 <= bar.y <= BARS_HEIGHT
        assert bar.y + bar.height == pytest.approx(BARS_HEIGHT, abs=0.02)
    assert (chart.total, len(chart.ends)) == (sum(numbers), 3)


@pytest.mark.parametrize(
    "numbers, peak",
    [([], None), ([9, 1, 1], None), ([10, 1, 1], 0), ([20, 10, 10], None), ([9, 10, 21], 2)],
)
def test_a_day_stands_out_above_twice_the_usual_and_not_below_ten(numbers, peak):
    assert charts.outstanding(numbers) == peak


def test_days_say_which_one_stands_out():
    found = findings.of_days(days(3, 4, 40))
    assert found.text == (
        "40 on 3 November 2026, more than twice as many as on a usual day. 47 in all."
    )
    assert found.alarm
    assert findings.of_days(days(3, 4, 5)).text == "12 in all. No day stands out."
    assert findings.of_days(days(1, 0, 5)).text == "6 in all."
    assert findings.of_days(days(0, 0)).text == "None in these days."


@pytest.mark.parametrize(
    "counts, text, alarm",
    [
        ([0, 0, 0, 0, 0], "Nobody with an account asked for a way back in.", False),
        ([3, 3, 3, 3, 3], "Whoever asked came back in.", False),
        (
            [50, 30, 30, 30, 30],
            "The biggest loss: for 40% no message was accepted. Look at deliveries.",
            True,
        ),
        (
            [50, 50, 45, 44, 44],
            "The biggest loss: 5 of 50 did not open the message. It may lie in Spam.",
            False,
        ),
        (
            [5, 5, 4, 1, 1],
            "The biggest loss: 3 of 4 opened the message and used neither code nor button."
            " The button lasts longer than the code.",
            False,
        ),
        (
            [50, 50, 50, 50, 30],
            "The biggest loss: 40% proved who they are and chose no password.",
            True,
        ),
    ],
)
def test_a_funnel_says_where_it_stops(counts, text, alarm):
    found = findings.of_steps(counts)
    assert (found.text, found.alarm) == (text, alarm)


@pytest.mark.parametrize(
    "run_out, wrong, text, alarm",
    [
        (0, 0, "No code was refused.", False),
        (4, 1, "Refused because they had run out: 4 of 5.", False),
        (20, 20, "Refused because they had run out: 50%.", False),
        (
            30,
            10,
            "Refused because they had run out: 75%. Suggest the button in the email.",
            True,
        ),
    ],
)
def test_refused_codes_say_how_many_had_run_out(run_out, wrong, text, alarm):
    found = findings.of_refused(run_out, wrong)
    assert (found.text, found.alarm) == (text, alarm)


def test_the_used_way_is_said():
    assert findings.of_ways(0, 0).text == "Neither the button nor a code was used."
    assert findings.of_ways(30, 10).text == "75% pressed the button."
    assert findings.of_ways(1, 4).text == "4 of 5 typed the code."


def test_times_are_read_from_buckets():
    took = {10: 10, 50: 80, 200: 10}
    assert (findings.quantile(took, 50), findings.quantile(took, 95)) == (50, 200)
    assert findings.quantile({}, 50) is None
    assert findings.of_times(took).text == (
        "Half were back in about 50 seconds after they asked, 95 of 100 within about 3 minutes."
    )
    assert findings.of_times({}).text == "Nobody came back in."
    assert findings.of_times({47: 2}).text == (
        "2 came back in, the slowest after about 45 seconds."
    )


@pytest.mark.parametrize(
    "seconds, said",
    [(1, "1 second"), (9, "9 seconds"), (47, "45 seconds"), (119, "2 minutes"), (3600, "1 hour")],
)
def test_a_rough_time_is_said_roughly(seconds, said):
    assert findings.about(seconds) == said


def test_a_domain_stands_out_when_its_server_takes_less_or_its_people_finish_less():
    usual = Domain("gmail.com", 100, 100, 95, 92, 90)
    refusing = Domain("gmx.net", 50, 20, 45, 45, 45)
    assert findings.of_domains([usual, refusing]).text == (
        "Mail to gmx.net stands out: accepted 40%. Look at deliveries."
    )
    stopping = Domain("gmx.net", 50, 50, 40, 30, 8)
    assert findings.of_domains([usual, stopping]).text == (
        "People at gmx.net stand out: back in 8 of 50. Their mail may lie in Spam."
    )
    few = Domain("tiny.example", 9, 0, 0, 0, 0)
    assert not findings.of_domains([usual, few]).alarm
    assert findings.of_domains([few]).text == (
        "Too few asked at any one mail domain to compare them."
    )
