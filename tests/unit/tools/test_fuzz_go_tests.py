"""The fuzz tests of Go run in rounds until their time is over, or one of them fails."""

from itertools import count

from tools.fuzz.go_tests import failure, names
from tools.package import execd


def test_rounds_go_on_until_the_time_is_over() -> None:
    calls: list[tuple[str, ...]] = []

    def go(arguments: tuple[str, ...]) -> tuple[int, str]:
        calls.append(arguments)
        return 0, "ok"

    ticks = count(0, 10)

    assert failure("FuzzLimits", 35, go, lambda: next(ticks)) == ""
    assert len(calls) == 4
    limits = ("-fuzztime=2000x", "-fuzzminimizetime=100x")
    assert set(calls) == {("test", "-run=^$", "-fuzz=^FuzzLimits$", *limits, ".")}


def test_failure_ends_the_rounds_and_is_returned() -> None:
    answers = iter([(0, "ok"), (1, "Failing input written to testdata/fuzz/FuzzLimits/a")])

    output = failure("FuzzLimits", 1000, lambda _: next(answers), lambda: 0)

    assert output == "Failing input written to testdata/fuzz/FuzzLimits/a"


def test_all_fuzz_tests_are_run() -> None:
    source = (execd.SOURCE / "fuzz_test.go").read_text()

    assert len(list(names(source))) == source.count("f *testing.F")
    assert "FuzzCertificates" in names(source)
