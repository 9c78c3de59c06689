"""Licenses are SPDX expressions if METADATA is exact, else the words of their authors."""

import re
from pathlib import Path

import pytest
from packaging.licenses import canonicalize_license_expression

from cnb_python.sbom import licenses
from cnb_python.sbom.licenses import license_of
from cnb_python.sbom.model import License

OSI = "License :: OSI Approved :: "


@pytest.mark.parametrize(
    ("expression", "text", "classifiers", "expected"),
    [
        ("mit or apache-2.0", "", (), License("MIT OR Apache-2.0")),
        ("MIT", "BSD", (f"{OSI}ISC License (ISCL)",), License("MIT")),
        ("LicenseRef-Proprietary", "", (), License("LicenseRef-Proprietary")),
        ("Unknown-1.0", "", (), License(text="Unknown-1.0")),
        ("", "BSD-3-Clause", (f"{OSI}BSD License",), License("BSD-3-Clause")),
        ("", "Apache License, Version 2.0", (), License("Apache-2.0")),
        ("", "Apache 2.0", (f"{OSI}Apache Software License",), License("Apache-2.0")),
        ("", "The MIT License", (), License("MIT")),
        ("", "", (f"{OSI}MIT License",), License("MIT")),
        ("", "", (OSI.rstrip(": "), f"{OSI}MIT License"), License("MIT")),
        ("", "", (f"{OSI}BSD License",), License(text="BSD License")),
        ("", "BSD", (), License(text="BSD")),
        ("", "UNKNOWN", (), License()),
        (
            "",
            "",
            (f"{OSI}MIT License", f"{OSI}Apache Software License"),
            License(text="MIT License, Apache Software License"),
        ),
        (
            "",
            "",
            ("License :: Free",),
            License(text="Free"),
        ),
        ("", "", ("Topic :: Software Development",), License()),
        (
            "",
            "Copyright  2026\n\n        Permission is\x0b hereby\n       |   granted ...\n",
            (),
            License(
                text="Copyright 2026",
                full="Copyright  2026\n\nPermission is  hereby\n   granted ...",
            ),
        ),
        ("", "x" * 300, (), License(text="x" * 200, full="x" * 300)),
        (
            "",
            "Copyright\nand more",
            (f"{OSI}BSD License",),
            License(text="BSD License", full="Copyright\nand more"),
        ),
        ("", "Copyright\nand more", (f"{OSI}MIT License",), License("MIT")),
        ("", "\n UNKNOWN\n", (), License()),
        ("(" * 199, "", (), License(text="(" * 199)),
    ],
)
def test_license_is_the_most_exact_one(
    expression: str, text: str, classifiers: tuple[str, ...], expected: License
) -> None:
    assert license_of(expression, text, classifiers) == expected


def test_tables_have_expressions_in_their_normal_form() -> None:
    source = Path(licenses.__file__).read_text("utf-8")
    values = re.findall(r'^    "[^"]+": "([^"]+)",$', source, re.MULTILINE)

    assert len(values) > 50
    assert [canonicalize_license_expression(value) for value in values] == values
