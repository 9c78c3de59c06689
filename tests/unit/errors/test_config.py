"""Messages about service bindings."""

from typing import get_args

import pytest

from cnb_python.errors.config import BadBinding, BindingProblem, SeveralBindings
from tests.support.messages import text_of


def test_misspelt_key_is_answered_with_the_similar_one() -> None:
    keys = ("url", "username", "password")
    message = BadBinding("company", "pypi", "usrname", "unknown key", keys).describe()

    assert message.title == "Service binding company has the unknown key usrname"
    assert message.body == (
        "It is a binding of type pypi.",
        "Expected: one of the keys url, username, password",
        "Did you mean username?",
        (
            "A binding is a directory with a file type that contains pypi, and a file for each "
            "key: --volume /path/to/company:/platform/bindings/company"
        ),
        "On Cloud Foundry, it is a service whose credentials have these keys.",
    )
    assert message.fixes == ("Rename the file usrname of the binding, or remove it.",)


@pytest.mark.parametrize("problem", get_args(BindingProblem.__value__))
def test_every_problem_has_title_reason_and_fix(problem: BindingProblem) -> None:
    message = BadBinding("company", "pypi", "url", problem, ("line 2 is odd",)).describe()

    assert message.title.startswith("Service binding company ")
    assert len(message.body) > 2
    assert message.fixes
    assert "{" not in text_of(message)


@pytest.mark.parametrize("kind", ["pypi", "pip"])
def test_bindings_that_exclude_each_other_are_named(kind: str) -> None:
    message = SeveralBindings(kind, ("a", "b"), "pip.conf").describe()

    assert message.title == f"2 service bindings of type {kind} cannot be combined"
    assert message.body[0] == "Found:    a and b, which each have a pip.conf."
