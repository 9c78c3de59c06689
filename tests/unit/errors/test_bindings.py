"""Words for service bindings."""

from typing import get_args

import pytest

from cnb_python.errors.config import BadBinding, BindingProblem, SeveralBindings


def test_a_slip_is_told_with_what_was_meant() -> None:
    keys = ("url", "username", "password")
    message = BadBinding("company", "pypi", "usrname", "unknown key", keys).describe()

    assert message.title == (
        "Service binding company has the key usrname, which no binding of type pypi has"
    )
    assert message.body == (
        "It is a binding of type pypi.",
        "The keys of that type are: url, username, password.",
        "Did you mean username?",
    )
    assert message.steps[0] == (
        "Remove usrname from the binding, or give it the name that was meant."
    )
    assert "--volume /path/to/company:/platform/bindings/company" in message.steps[1]


@pytest.mark.parametrize("problem", get_args(BindingProblem.__value__))
def test_every_problem_has_a_title_a_reason_and_a_step(problem: BindingProblem) -> None:
    message = BadBinding("company", "pypi", "url", problem, ("line 2 of it is odd",)).describe()

    assert message.title.startswith("Service binding company ")
    assert len(message.body) > 1
    assert "{" not in message.title + "".join(message.steps)


@pytest.mark.parametrize("kind", ["pypi", "pip"])
def test_bindings_that_exclude_each_other_are_all_named(kind: str) -> None:
    message = SeveralBindings(kind, ("a", "b"), "pip.conf").describe()

    assert message.title == f"2 service bindings of type {kind} exclude each other"
    assert message.body[0] == "They are a and b."
