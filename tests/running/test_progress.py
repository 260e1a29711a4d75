import io

from ssr.running.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def report(stream, seconds_each, count):
    now = iter(range(0, 10**9, seconds_each))
    items = list(progress(range(count), count, "reading", stream, clock=lambda: next(now)))
    assert items == list(range(count))
    return stream.getvalue()


def test_a_log_gets_a_line_every_minute_and_one_at_the_end():
    lines = report(io.StringIO(), 20, 10).splitlines()
    assert lines == [
        "reading: 3/10 (20.0 s each, 2:20 left)",
        "reading: 6/10 (20.0 s each, 1:20 left)",
        "reading: 9/10 (20.0 s each, 0:20 left)",
        "reading: 10 in 3:40 (22.0 s each)",
    ]


def test_a_terminal_line_renews_itself():
    text = report(Terminal(), 1, 3)
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert [line.split("\033")[0] for line in text.split("\r")[1:]] == [
        "reading: 1/3 (1.0/s, 0:02 left)",
        "reading: 2/3 (1.0/s, 0:01 left)",
        "reading: 3 in 0:04 (1.3 s each)",
    ]


def test_hours_are_told_from_minutes():
    assert "in 2:00:00" in report(io.StringIO(), 3600, 1)


def test_nothing_to_do_is_no_error():
    assert report(io.StringIO(), 1, 0) == "reading: 0 in 0:01 (0.0/s)\n"
