"""The license of a distribution, from its METADATA, as an SPDX expression if that is exact.

Used for SBOMs in wheels too. Separate from those readers, as it is about names of licenses.
https://packaging.python.org/en/latest/specifications/core-metadata/#license-expression
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from cnb_python.sbom.model import NO_LICENSE, License

_CLASSIFIER = "License :: "
_OSI_ALONE = "OSI Approved"
_OSI = f"{_OSI_ALONE} :: "
# Classifiers that name exactly one license of the SPDX list. Those that do not, such as `BSD
# License`, `Apache Software License` or `GNU General Public License (GPL)`, are texts.
# https://github.com/pypa/trove-classifiers
_CLASSIFIERS: Mapping[str, str] = {
    "Blue Oak Model License (BlueOak-1.0.0)": "BlueOak-1.0.0",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "CMU License (MIT-CMU)": "MIT-CMU",
    "Common Development and Distribution License 1.0 (CDDL-1.0)": "CDDL-1.0",
    "Eclipse Public License 1.0 (EPL-1.0)": "EPL-1.0",
    "Eclipse Public License 2.0 (EPL-2.0)": "EPL-2.0",
    "European Union Public Licence 1.1 (EUPL 1.1)": "EUPL-1.1",
    "European Union Public Licence 1.2 (EUPL 1.2)": "EUPL-1.2",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "Historical Permission Notice and Disclaimer (HPND)": "HPND",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 1.0 (MPL)": "MPL-1.0",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Mulan Permissive Software License v2 (MulanPSL-2.0)": "MulanPSL-2.0",
    "Open Software License 3.0 (OSL-3.0)": "OSL-3.0",
    "PostgreSQL License": "PostgreSQL",
    "SIL Open Font License 1.1 (OFL-1.1)": "OFL-1.1",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "Universal Permissive License (UPL)": "UPL-1.0",
    "Zero-Clause BSD (0BSD)": "0BSD",
    "zlib/libpng License": "Zlib",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
}
# Common spellings in the field `License`, in lower case and without `the`, `license` and commas.
_NAMES: Mapping[str, str] = {
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache v2": "Apache-2.0",
    "apache v2.0": "Apache-2.0",
    "apache version 2.0": "Apache-2.0",
    "apache software 2.0": "Apache-2.0",
    "apache software version 2.0": "Apache-2.0",
    "apache-2": "Apache-2.0",
    "asl 2.0": "Apache-2.0",
    "2-clause bsd": "BSD-2-Clause",
    "bsd 2-clause": "BSD-2-Clause",
    "simplified bsd": "BSD-2-Clause",
    "3-clause bsd": "BSD-3-Clause",
    "bsd 3 clause": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause",
    "expat": "MIT",
    "mit": "MIT",
    "mit/expat": "MIT",
    "isc": "ISC",
    "mpl 2.0": "MPL-2.0",
    "mozilla public 2.0": "MPL-2.0",
    "psf": "PSF-2.0",
    "psfl": "PSF-2.0",
    "python software foundation": "PSF-2.0",
    "gplv2+": "GPL-2.0-or-later",
    "gplv3": "GPL-3.0-only",
    "gplv3+": "GPL-3.0-or-later",
    "agplv3": "AGPL-3.0-only",
    "agplv3+": "AGPL-3.0-or-later",
    "lgplv3": "LGPL-3.0-only",
    "lgplv3+": "LGPL-3.0-or-later",
    "unlicense": "Unlicense",
}
_FILLER = re.compile(r"\b(?:the|licen[cs]e)\b|,|[\"'.]$")
_SPACE = re.compile(r"\s+")
# Longer texts are the license itself, not its name.
_LONGEST_NAME = 200
# The GPL has 35,000 characters. Some fields have the licenses of everything in a wheel.
_LONGEST_LICENSE = 40_000
_CUT = "\n[The rest is left out.]"
_FOLDED = re.compile(r"^(?: {7}\|| {8})")
# Wheels with many libraries have such ones.
_LONGEST_EXPRESSION = 2000


def license_of(expression: str, text: str, classifiers: Iterable[str]) -> License:
    """Return the license that the fields of a METADATA declare.

    *expression*: `License-Expression`; *text*: `License`; *classifiers*: all of them. The field
    `License` counts before classifiers if it is exact, since it often is more so.
    """
    own = _expression(expression) or _expression(text) or _known_name(text)
    if own:
        return License(own)
    names = [
        each.removeprefix(_CLASSIFIER) for each in classifiers if each.startswith(_CLASSIFIER)
    ]
    names = [name.removeprefix(_OSI) for name in names if name != _OSI_ALONE]
    in_words = _of_text(expression or text)
    classified = _of_classifiers(names)
    if not classified:
        return in_words
    # An expression needs no text, and CycloneDX allows no text beside an expression.
    return classified if classified.expression else classified._replace(full=in_words.full)


def _of_classifiers(names: Sequence[str]) -> License | None:
    """Return one license for *names*: exact if all are, and there is just one.

    Two classifiers may mean `AND` or `OR`, so they are not an expression.
    """
    expressions = [_CLASSIFIERS.get(name, "") for name in names]
    if len(expressions) == 1 and expressions[0]:
        return License(expressions[0])
    return License(text=", ".join(names)) if names else None


def _of_text(text: str) -> License:
    lines = _lines(text)
    name = next((" ".join(line.split()) for line in lines if line.strip()), "")
    # Old releases of setuptools write UNKNOWN for an empty field.
    if not name or name == "UNKNOWN":
        return NO_LICENSE
    if len(lines) == 1 and len(name) <= _LONGEST_NAME:
        return License(text=name)
    full = "\n".join(lines)
    if len(full) > _LONGEST_LICENSE:
        full = full[:_LONGEST_LICENSE] + _CUT
    return License(text=name[:_LONGEST_NAME].rstrip(), full=full)


def _lines(text: str) -> list[str]:
    """Return the lines of a field, without the prefixes of continuation lines in METADATA.

    https://packaging.python.org/en/latest/specifications/core-metadata/#description
    """
    first, *further = text.strip().split("\n")
    lines = (_FOLDED.sub("", line) for line in further)
    return [_readable(line) for line in (first, *lines)]


def _readable(line: str) -> str:
    return "".join(each if each.isprintable() else " " for each in line).rstrip()


def _expression(text: str) -> str:
    """Return *text* in the normal form of SPDX; empty if it is not an expression."""
    if not text or len(text) > _LONGEST_EXPRESSION:
        return ""
    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression, MemoryError, RecursionError:  # of hundreds of parentheses
        return ""


def _known_name(text: str) -> str:
    if len(text) > _LONGEST_NAME:
        return ""
    bare = _SPACE.sub(" ", _FILLER.sub(" ", text.strip().lower())).strip()
    return _NAMES.get(bare, "")
