"""A sample app for each way to say which packages: built, started, and built again."""

import pytest

from tests.support.builds import Builds, Built, fixture

ASKS_AGAIN = {"pyproject_only", "setup_py"}


@pytest.fixture(
    scope="module",
    params=[
        ("uv_fastapi", "/?name=Ada", '"message":"Hello, Ada!"'),
        ("pylock_flask", "/", "Hello from Python 3.14"),
        ("pyproject_only", "/", "One note: buy milk"),
        ("setup_py", "/3", "1 2 3"),
    ],
    ids=lambda one: str(one[0]),
)
def sample(
    request: pytest.FixtureRequest, builds: Builds, flask: Built
) -> tuple[str, Built, str, str]:
    """The name of the sample, its image, and a path with what is to be there."""
    name, path, expected = request.param
    built = builds.image(fixture(name), flask)
    assert built.code == 0, built.output
    return name, built, path, expected


def test_it_serves_read_only_to_a_stranger(sample: tuple[str, Built, str, str]) -> None:
    _, built, path, expected = sample

    with built.serve() as served:
        assert expected in served.fetch(path)


def test_it_builds_again_without_asking_what_is_locked(
    builds: Builds, sample: tuple[str, Built, str, str]
) -> None:
    name, built, _, _ = sample

    again = builds.phases(fixture(name), built)

    assert again.code == 0, again.output
    assert ("Nothing changed" in again.output) is (name not in ASKS_AGAIN)
    assert "\nChanged: " not in again.output


def test_no_tool_is_in_the_image(sample: tuple[str, Built, str, str]) -> None:
    _, built, _, _ = sample
    names = [name for layer in ("venv", "python") for name in built.names(layer)]

    assert [name for name in names if name.endswith(("/bin/uv", "/bin/pip"))] == []
