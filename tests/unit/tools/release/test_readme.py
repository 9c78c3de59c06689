"""What the README of a release says of its Pythons."""

from tools.release import readme


def test_complete_release_lists_its_pythons() -> None:
    text = readme.text("0.2.0", {"3.14.6", "3.13.17"}, ["3.13.17", "3.14.6"], released=True)

    assert text == ("# Release 0.2.0\n\nThe offline packages contain Python 3.13.17, 3.14.6.\n")


def test_release_without_offline_packages_misses_nothing() -> None:
    text = readme.text("0.2.0", [], ["3.14.6"], released=True)

    assert text == "# Release 0.2.0\n\nThere are no offline packages.\n"


def test_release_of_go_modules_names_what_is_missing() -> None:
    text = readme.text(
        "0.2.0", ["3.13.13", "3.14.6"], ["3.13.17", "3.14.6", "3.15.1"], released=False
    )

    assert text.splitlines()[2].startswith("Not for publication: ")
    assert text.splitlines()[4:] == [
        "The offline packages contain Python 3.13.13, 3.14.6.",
        "Python 3.13.17 is missing: 3.13.13 takes its place.",
        "Python 3.15.1 is missing, and so is its release line 3.15.",
    ]


def test_pythons_for_apps_are_those_of_the_sbom() -> None:
    sbom = {
        "components": [
            {"bom-ref": "pkg:generic/python@3.14.6", "version": "3.14.6"},
            {"bom-ref": "pkg:generic/python@3.9.2?for=apps", "version": "3.9.2"},
            {"bom-ref": "pkg:generic/python@3.14.5?for=apps", "version": "3.14.5"},
            {"bom-ref": "pkg:generic/python@3.10.16?for=apps", "version": "3.10.16"},
        ]
    }

    assert readme.pythons(sbom) == ["3.9.2", "3.14.5", "3.10.16"]
