"""A test starts an app of each row of the tables: every framework, server, worker and bot."""

from pathlib import Path

from cnb_python.launch.servers import SERVERS
from cnb_python.launch.tables.background import BACKGROUND_TOOLS
from cnb_python.launch.tables.frameworks import FRAMEWORKS
from cnb_python.launch.tables.web_programs import WEB_PROGRAMS
from tests.support import large_samples, worker_samples
from tests.support.found_commands import found_process
from tests.support.web_samples import FURTHER_WEB_SAMPLES, GRPC, WEB_SAMPLES

# Its module `crontab` breaks that of django-celery-beat, which is started.
NOT_STARTED = {"RQ Scheduler with django-rq"}


def test_each_row_has_a_sample_that_a_test_starts(tmp_path: Path) -> None:
    tables = (
        WEB_SAMPLES,
        FURTHER_WEB_SAMPLES,
        worker_samples.SAMPLES,
        large_samples.WEB,
        large_samples.WORKERS,
    )
    samples = {name: sample for table in tables for name, sample in table.items()}
    processes = [
        found_process(sample, tmp_path / name)
        for name, sample in {**samples, "grpc": GRPC}.items()
    ]

    titles = {each.evidence.subject for each in processes}
    commands = [each.command for each in processes]

    rows = {each.title for each in FRAMEWORKS}
    rows |= {each.title for each in WEB_PROGRAMS}
    rows |= {each.title for each in BACKGROUND_TOOLS}
    assert rows - titles == NOT_STARTED
    programs = {each.split()[0] for each in commands}
    assert {each.template.split()[0] for each in SERVERS} - programs == set()
    workers = [each.template.split(" {")[0] for each in SERVERS if "--worker" in each.template]
    assert [each for each in workers if not any(text.startswith(each) for text in commands)] == []
