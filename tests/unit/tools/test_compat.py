"""The comparison of linked with merged environments: lists, differences and document."""

import os
import re
from importlib import metadata
from pathlib import Path

import pytest

from tools.compat import compare, document, pins, renew, suites
from tools.compat.compare import Difference
from tools.compat.document import Compared, Report, SuiteRun
from tools.compat.inside import holds, works
from tools.compat.suites import Outcomes
from tools.processes import Unavailable

SUITE = pins.Suite("attrs", ("tests",))
JUNIT = """<testsuites><testsuite time="1.25">
<testcase classname="tests.test_a" name="test_works"/>
<testcase classname="tests.test_a" name="test_fails"><failure message="no&#10;way"/></testcase>
<testcase classname="tests.test_a" name="test_breaks"><error>no</error></testcase>
<testcase classname="tests.test_a" name="test_later"><skipped>not here</skipped></testcase>
<testcase classname="tests.test_a" name="test_parts"><failure>no</failure></testcase>
<testcase classname="tests.test_a" name="test_parts"/>
<testcase classname="tests.test_a" name="test_noisy"><system-out>hello</system-out></testcase>
</testsuite></testsuites>"""


class TestPins:
    def test_lines_belong_to_the_heading_above_them(self) -> None:
        sections = pins.sections("# web\n[web]\nflask==3.1.3  # small\n\n[data]\nnumpy==2.5.5\n")
        assert sections == {"web": ["flask==3.1.3"], "data": ["numpy==2.5.5"]}

    def test_line_above_the_first_heading_is_refused(self) -> None:
        with pytest.raises(Unavailable, match="flask"):
            pins.sections("flask==3.1.3\n[web]\n")

    def test_duplicate_heading_is_refused(self) -> None:
        with pytest.raises(Unavailable, match="two sections \\[web\\]"):
            pins.sections("[web]\n[web]\n")

    def test_popular_splits_distributions_from_dependencies(self) -> None:
        sets = pins.popular("[web]\nflask==3.1.3\n[web: needed]\nclick==8.5.1\n")
        assert sets == {"web": pins.Pinned(["flask==3.1.3"], ["click==8.5.1"])}

    def test_whole_set_is_fully_pinned(self) -> None:
        pinned = pins.Pinned(["flask==3.1.3"], ["click==8.5.1"])
        assert pinned.first(None) == {"requirements.txt": "flask==3.1.3\nclick==8.5.1\n"}

    def test_part_of_a_set_has_constraints(self) -> None:
        pinned = pins.Pinned(["flask==3.1.3", "httpx[http2]==0.28.1"], ["click==8.5.1"])
        assert pinned.first(1) == {
            "requirements.txt": "-c constraints.txt\nflask==3.1.3\n",
            "constraints.txt": "httpx==0.28.1\nclick==8.5.1\n",
        }

    def test_version_of_an_unpinned_name_is_refused(self) -> None:
        with pytest.raises(Unavailable, match="no attrs"):
            pins.version(["flask==3.1.3"], "attrs")


class TestWhatIsCompared:
    def test_at_least_120_popular_distributions(self) -> None:
        sets = pins.popular(pins.POPULAR.read_text()).values()
        assert len({name for pinned in sets for name in pins.names(pinned.requested)}) >= 120

    def test_every_version_is_pinned_once_in_its_set(self) -> None:
        for pinned in pins.popular(pins.POPULAR.read_text()).values():
            listed = [*pinned.requested, *pinned.dependencies]
            assert all(re.fullmatch(r"[a-z0-9-]+(\[\w+\])?==[\w.]+", pin) for pin in listed)
            assert len(set(pins.names(listed))) == len(listed)

    def test_every_name_of_popular_in_is_pinned(self) -> None:
        asked = pins.sections(renew.NAMES.read_text())
        pinned = pins.popular(pins.POPULAR.read_text())
        assert {name: sorted(pins.names(lines)) for name, lines in asked.items()} == {
            name: sorted(pins.names(each.requested)) for name, each in pinned.items()
        }

    def test_commands_belong_to_existing_sets(self) -> None:
        assert pins.commands().keys() <= pins.popular(pins.POPULAR.read_text()).keys()

    def test_at_least_twenty_commands(self) -> None:
        assert sum(map(len, pins.commands().values())) >= 20

    def test_every_suite_has_a_pinned_distribution(self) -> None:
        pinned = pins.popular(pins.POPULAR.read_text())[pins.SUITES_SET]
        assert {suite.name for suite in pins.suites()} <= set(pins.names(pinned.requested))

    def test_six_suites_are_listed(self) -> None:
        promised = {"numpy", "pandas", "attrs", "requests", "jinja2", "sqlalchemy"}
        assert promised <= {suite.name for suite in pins.suites()}

    def test_suite_of_an_sdist_has_digest_and_files(self) -> None:
        for suite in pins.suites():
            assert bool(suite.sha256) == bool(suite.files)
            assert not suite.sha256 or re.fullmatch("[0-9a-f]{64}", suite.sha256)

    def test_every_reason_is_a_sentence(self) -> None:
        assert all(text.endswith(".") for text in pins.reasons().values())


class TestRenewing:
    def test_requirement_keeps_its_extras(self) -> None:
        versions = {"click": "8.5.1", "zope-event": "6.2", "httpx": "0.28.1"}
        pinned = renew.divide(["httpx[http2]", "zope.event>=5"], versions)
        assert pinned == pins.Pinned(["httpx[http2]==0.28.1", "zope-event==6.2"], ["click==8.5.1"])

    def test_written_sets_are_read_as_they_were(self) -> None:
        sets = {"web": pins.Pinned(["flask==3.1.3"], ["click==8.5.1"]), "old": pins.Pinned([], [])}
        assert pins.popular(renew.text(sets)) == sets


class TestComparing:
    def test_equal_facts_have_no_difference(self) -> None:
        facts: compare.Json = {"a": [1, 2], "b": {"c": "x"}}
        assert list(compare.differences("web", facts, facts)) == []

    def test_difference_has_its_path(self) -> None:
        linked: compare.Json = {"imports": {"flask": {"failed": "no"}}}
        merged: compare.Json = {"imports": {"flask": {"failed": "yes"}}}
        differences = list(compare.differences("web", linked, merged))
        assert differences == [Difference("web/imports/flask/failed", "no", "yes")]

    def test_missing_value_is_a_difference(self) -> None:
        differences = list(compare.differences("web", {"a": 1}, {}))
        assert differences == [Difference("web/a", "1", compare.MISSING)]

    def test_first_pattern_that_matches_gives_the_reason(self) -> None:
        reasons = {"web/a/*": "Known.", "*": "Anything."}
        differences = compare.explained([Difference("web/a/b", "1", "2")], reasons)
        assert differences[0].reason == "Known."

    def test_other_differences_stay_unexplained(self) -> None:
        differences = compare.explained([Difference("web/b", "1", "2")], {"web/a": "Known."})
        assert differences[0].reason == ""

    def test_failures_are_found_at_any_depth(self) -> None:
        facts: compare.Json = {
            "flask": {"modules": {"flask": {"failed": "no"}, "x": {"file": ""}}}
        }
        assert list(compare.failures("web", facts)) == [("web/flask/modules/flask", "no")]


class TestSuites:
    def test_outcomes_are_counted_once_for_each_test(self) -> None:
        ran = suites.read(JUNIT)
        counts = [ran.count(outcome) for outcome in (suites.PASSED, suites.FAILED, suites.SKIPPED)]
        assert counts == [2, 3, 1]

    def test_failed_test_keeps_the_first_line_of_its_message(self) -> None:
        assert suites.read(JUNIT).why["tests.test_a::test_fails"] == "no"

    def test_seconds_come_from_the_report(self) -> None:
        assert suites.read(JUNIT).seconds == 1.2

    def test_other_outcome_is_a_difference(self) -> None:
        linked = Outcomes({"t::a": suites.PASSED, "t::b": suites.FAILED}, 1)
        merged = Outcomes({"t::a": suites.PASSED, "t::b": suites.PASSED}, 1)
        differences = list(suites.differences(SUITE, linked, merged))
        assert differences == [Difference("suites/attrs/t::b", "failed", "passed")]

    def test_missing_test_is_a_difference(self) -> None:
        differences = list(
            suites.differences(SUITE, Outcomes({"t::a": suites.PASSED}, 1), Outcomes({}, 1))
        )
        assert differences == [Difference("suites/attrs/t::a", "passed", compare.MISSING)]


class TestDocument:
    def test_document_has_every_difference_with_its_reason(self) -> None:
        written = document.text(report(Difference("web/a", "x | y", "z", "Known.")))
        assert "| `web/a` | `x \\| y` | `z` | Known. |" in written

    def test_difference_without_a_reason_is_marked(self) -> None:
        assert "**unexplained**" in document.text(report(Difference("web/a", "x", "y")))

    def test_failure_in_both_layouts_is_not_a_success(self) -> None:
        row = next(line for line in document.text(report()).splitlines() if "| web |" in line)
        assert row == "| web | 2 | 7 | 4 of 5 | 3 of 3 | 1 of 1 | 0 |"

    def test_document_has_suites_of_both_layouts(self) -> None:
        linked, merged = "1 passed, 0 failed, 0 skipped", "0 passed, 1 failed, 0 skipped"
        assert f"| attrs 26.1.0 | all | {linked} | {merged} |" in document.text(report())

    def test_failures_with_one_message_are_counted(self) -> None:
        ran = Outcomes({}, 1, {"t::a": "No `less`", "t::b": "No `less`"})
        runs = [SuiteRun("click", "8.5.1", "", ran, ran, [])]
        written = document.text(Report("2026-11-21", "amd64", {}, runs))
        assert "| click | 2 | `No 'less'` |" in written

    def test_differences_include_those_of_suites(self) -> None:
        assert [
            difference.where for difference in report(Difference("web/a", "x", "y")).differences
        ] == [
            "web/a",
            "suites/attrs/t::a",
        ]


def report(*differences: Difference) -> Report:
    compared = Compared(
        popular=["flask"],
        python="3.14.6",
        links=7,
        distributions=["click", "flask"],
        works={"modules": 5, "entry points": 3, "commands": 1},
        failed=[("web/works/imports/flask/modules/flask", "ImportError: no")],
        differences=differences,
    )
    ran = Outcomes({"t::a": suites.PASSED}, 1), Outcomes({"t::a": suites.FAILED}, 1)
    differs = list(suites.differences(SUITE, *ran))
    runs = [SuiteRun("attrs", "26.1.0", "", *ran, differs)]
    return Report("2026-11-21", "amd64", {"web": compared}, runs)


class TestInside:
    def test_modules_of_namespaces_have_full_names(self, tmp_path: Path) -> None:
        installed = distribution(
            tmp_path,
            "google/cloud/storage/__init__.py",
            "google/cloud/storage/blob.py",
            "google/cloud/loose.py",
        )
        assert works.modules_of(installed) == ["google.cloud.loose", "google.cloud.storage"]

    def test_native_modules_and_single_files_are_modules(self, tmp_path: Path) -> None:
        installed = distribution(
            tmp_path, "_cffi.abi3.so", "six.py", "pkg/__init__.py", "pkg/x.py"
        )
        assert works.modules_of(installed) == ["_cffi", "pkg", "six"]

    def test_file_that_cannot_be_imported_is_no_module(self, tmp_path: Path) -> None:
        names = ("../../../bin/tool.py", "a-b/x.py", "pkg/data.txt", "__pycache__/six.pyc")
        assert works.modules_of(distribution(tmp_path, *names)) == []

    def test_imported_package_has_its_resources(self) -> None:
        facts = works.import_module("json")
        assert "decoder.py" in str(facts["resources"])

    def test_module_that_replaces_itself_is_imported(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "replaced").mkdir()
        source = "import sys; sys.modules[__name__].__spec__ = None"
        (tmp_path / "replaced/__init__.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        assert works.import_module("replaced")["path"] == [str(tmp_path / "replaced")]

    def test_failure_has_no_memory_address(self) -> None:
        def fail() -> works.Facts:
            text = "<thing at 0x7f00deadbeef> in /l/deps-03/tree/lib"
            raise SystemExit(text)

        facts = works.outcome(fail)
        assert facts == {"failed": "SystemExit: <thing at ...> in /l/.../lib"}

    def test_links_within_the_environment_are_not_counted(self, tmp_path: Path) -> None:
        library = tmp_path / "venv/lib"
        library.mkdir(parents=True)
        (library / "real.py").touch()
        (library / "alias.py").symlink_to("real.py")
        (tmp_path / "deps-00").mkdir()
        (library / "django").symlink_to("../../deps-00")
        assert holds.links(tmp_path / "venv") == 1

    def test_missing_files_of_a_distribution_are_listed(self, tmp_path: Path) -> None:
        installed = distribution(tmp_path, "there.py", "gone.py")
        (tmp_path / "gone.py").unlink()
        facts = holds.distribution(installed)
        assert (facts["version"], facts["missing"]) == ("1", ["gone.py"])

    def test_modules_are_found_through_links_and_below_packages(self, tmp_path: Path) -> None:
        real = tmp_path / "deps/pkg"
        real.mkdir(parents=True)
        for name in ("__init__.py", "inner.py"):
            (real / name).touch()
        site = tmp_path / "site"
        site.mkdir()
        (site / "pkg").symlink_to("../deps/pkg")
        (site / "single.py").touch()
        assert sorted(holds.modules(site)) == ["pkg", "pkg.inner", "single"]

    def test_files_are_found_through_links_with_their_sizes(self, tmp_path: Path) -> None:
        (tmp_path / "deps").mkdir()
        (tmp_path / "deps/style.css").write_text("12345")
        (tmp_path / "share").mkdir()
        (tmp_path / "share/app").symlink_to("../deps")
        assert list(holds.below(tmp_path / "share")) == [f"app{os.sep}style.css 5"]


def distribution(folder: Path, *files: str) -> metadata.Distribution:
    """Make an installed distribution that owns (empty) *files*."""
    info = folder / "example-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: example\nVersion: 1\n")
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in files))
    for path in (folder / name for name in files if not name.startswith("..")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return metadata.Distribution.at(info)
