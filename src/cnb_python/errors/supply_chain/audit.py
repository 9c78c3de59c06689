"""Packages with known vulnerabilities, malware, and data of the audit that cannot be used."""

from typing import Self, override

from cnb_python.errors.base import AppError, Message, OutsideError

_BINDING = "--volume /path/to/osv:/platform/bindings/osv"
_VEX = (
    "If a finding does not affect the app, say so in a VEX document: vex.json, or a file in .vex."
)


class MalwareFound(AppError):
    """A package that the app requires is known to be malware."""

    findings: tuple[str, ...]
    """A line for each release."""
    in_image: bool
    """Whether the previous image contains these packages."""

    @override
    def describe(self) -> Message:
        where = (
            "The previous image of the app contains them: stop its containers, and do not deploy it."
            if self.in_image
            else "This build has installed none of them. An earlier image of the app may contain them."
        )
        return Message(
            title="The app requires packages that are known to be malware",
            body=(*(f"Found:    {each}" for each in self.findings), where),
            fixes=(
                (
                    "Remove the package, or require a release from before the attack; check the "
                    "spelling of its name. If a machine has installed it, change the secrets there."
                ),
                "If the record is wrong, name it in a VEX document: vex.json, or a file in .vex.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(("fast-jsonn 1.0: MAL-2026-4711, malware",), in_image=False)


class VulnerablePackages(AppError):
    """Packages have known vulnerabilities, and the setting says that these stop the build."""

    findings: tuple[str, ...]
    """A line for each release and vulnerability."""
    setting: str
    """What the user calls the setting `audit`."""

    @override
    def describe(self) -> Message:
        return Message(
            title="The app requires packages with known vulnerabilities",
            body=(
                *(f"Found:    {each}" for each in self.findings),
                f"{self.setting} is stop, so nothing was installed.",
            ),
            fixes=(
                "Require a release in which the vulnerability is fixed.",
                _VEX,
                "Set BP_PYTHON_AUDIT=warn to build anyway.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            ("jinja2 3.1.2: GHSA-h5c8-rqwp-cp95 (CVE-2024-22195), medium, fixed in 3.1.3",),
            "BP_PYTHON_AUDIT",
        )


def old_records(titles: str, newest: str, days: int) -> Message:
    """Return a warning that the records in *titles* are *days* old; *newest*: their last date."""
    return Message(
        "The records for the audit are old",
        (
            f"File:     {titles}",
            f"Found:    the newest record is from {newest}, {days} days ago",
            (
                "Newer malware and vulnerabilities are not in the records. Download the records "
                "again, or update the mirror."
            ),
        ),
    )


class NoAuditData(OutsideError):
    """The setting `audit` is `stop`, and there are no records to compare with."""

    setting: str
    """What the user calls the setting `audit`."""

    @override
    def describe(self) -> Message:
        return Message(
            title="There are no records for the audit",
            body=(
                f"{self.setting} is stop, and the build has no service binding of type osv.",
                "Expected: a binding with the records of OSV, or with the address of a mirror.",
            ),
            fixes=(
                (
                    "Give the build a directory with the files type (osv) and all.zip, or type "
                    f"and url: {_BINDING}"
                ),
                "Set BP_PYTHON_AUDIT=warn, which is the default, or off.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("BP_PYTHON_AUDIT")


class BadAuditData(OutsideError):
    """Records of vulnerabilities cannot be read."""

    file: str
    """What the user calls it: `all.zip of the service binding osv`."""
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title="The records for the audit cannot be used",
            body=(
                f"File:     {self.file}",
                f"Found:    {self.reason}",
                (
                    "Expected: records in the OSV format, schema 1.x, as JSON files or in a zip "
                    "such as OSV's all.zip for PyPI. An audit with only some of them could miss "
                    "malware, so the build has stopped."
                ),
            ),
            fixes=(
                "Download the records again, and replace the file in the binding or the mirror.",
                "Set BP_PYTHON_AUDIT=off to build without an audit.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("all.zip of the service binding osv", "it is damaged: File is not a zip file")


class BadVex(AppError):
    """A VEX document of the app cannot be used."""

    file: str
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.file} cannot be used as a VEX document",
            body=(
                f"Found:    {self.reason}",
                (
                    "Expected: OpenVEX (a JSON object with an @context of openvex.dev and a list "
                    "of statements), or CycloneDX (bomFormat, vulnerabilities)."
                ),
            ),
            fixes=(
                "Correct the file.",
                "If it is not for the audit, list the files that are: BP_PYTHON_VEX",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("vex.json", "it is neither an OpenVEX nor a CycloneDX document")
