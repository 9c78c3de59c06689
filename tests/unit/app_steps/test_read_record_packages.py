"""Whether a record of what collectstatic read is still valid in another environment."""

from cnb_python.app_steps import read_record
from cnb_python.app_steps.read_record import ReadRecord, Reads
from cnb_python.distributions.model import Distribution

LAYERS = {"deps-00": "1"}
CHANGED = {"deps-00": "2"}


def distribution(name: str, version: str = "1.0") -> Distribution:
    return Distribution(name=name, version=version, origin="", files=())


DJANGO, EVIL = distribution("django"), distribution("evil")


def record(*distributions: Distribution) -> ReadRecord:
    """Return the record of a run that read nothing, as a malicious package may pretend."""
    empty = ReadRecord("", Reads(), Reads(), Reads(), (), ())
    present = tuple(item.name for item in distributions)
    filled = empty._replace(present=present)
    packages = filled.packages_answer({"new": ""}, distributions)
    return filled._replace(packages=packages, layers=LAYERS)


def test_answer_is_kept_if_packages_were_added_or_bumped() -> None:
    before = record(DJANGO)
    after = (distribution("django", "2.0"), distribution("new"))

    assert before.packages
    assert before.packages_answer(CHANGED, after) == before.packages


def test_answer_is_unknown_if_a_package_was_removed() -> None:
    assert record(DJANGO, EVIL).packages_answer(CHANGED, (DJANGO,)) == ""


def test_record_survives_the_store() -> None:
    before = record(DJANGO, EVIL)

    assert read_record.load(before.dump()) == before


def test_record_of_another_format_is_not_used() -> None:
    content = record(DJANGO).dump().replace(b'"format":2', b'"format":1')

    assert read_record.load(content) is None
