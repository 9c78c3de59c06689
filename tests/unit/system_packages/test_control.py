"""What control files say: what needs an installation, alternatives, dependencies."""

import pytest

from cnb_python.errors.libraries import BadSystemPackages
from cnb_python.system_packages.control import (
    alternatives,
    driver_templates,
    needed_to_run,
    reason_against,
)
from cnb_python.system_packages.deb import Control
from cnb_python.system_packages.request import Requested, parsed


def control(name: str, postinst: str = "", **fields: str) -> Control:
    return Control({"Package": name, **fields}, {"postinst": postinst} if postinst else {})


USERS = "its installation adds a user or a group"
SERVICE = "its installation registers a service"
DIVERTS = "its installation replaces files of other packages"
WAITS = "its installation waits until another package has done a part of it"
TEX = "its installation generates the formats and font maps of TeX"
OWNERS = "its installation changes owners or permissions of files"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("adduser --system --group x", "its installation adds a user or a group"),
        ("  systemd-sysusers x.conf || true", "its installation adds a user or a group"),
        ("deb-systemd-invoke start x", "its installation registers a service"),
        ("update-rc.d x defaults", "its installation registers a service"),
        ("dpkg-divert --add /usr/bin/x", "its installation replaces files of other packages"),
        (
            "dpkg-statoverride --update --add root x 4755 /x",
            "its installation changes owners or permissions of files",
        ),
        ("dpkg-divert --package x \\\n  --add /usr/bin/x", DIVERTS),
        ("dpkg-divert --add /a; dpkg-divert --remove /b", DIVERTS),
        ("dpkg-statoverride --update \\\n  --add root x 4755 /x", OWNERS),
        ("case $1 in configure) /usr/sbin/adduser x;; esac", USERS),
        ("if ! LC_ALL=C adduser --quiet x; then exit 1; fi", USERS),
        ('getent group "$g" >/dev/null || addgroup "$g"', USERS),
        ('out="$(useradd x 2>&1)"', USERS),
        ("# a comment ends with \\\nadduser x", USERS),
        ("if deb-systemd-helper --quiet was-enabled 'x.service'; then :; fi", SERVICE),
        ("cat <<EOF > /x\nplain\nEOF\nadduser x", USERS),
        ("[ -d /run/systemd ] && systemctl daemon-reload || true", SERVICE),
        ("    dpkg-trigger update-ca-certificates-java", WAITS),
        ("dpkg-trigger --await /usr/share/x", WAITS),
        ("which dpkg-trigger >/dev/null 2>&1 && \\\n dpkg-trigger --no-await x", ""),
        ("dpkg-trigger --no-await update-ca-certificates", ""),
        ("dpkg-trigger --check-supported", ""),
        ("dpkg-divert --package x \\\n  --remove /usr/bin/old", ""),
        ("dpkg-divert --package x --rename \\\n --divert /a \\\n --remove /b || true", ""),
        ("if dpkg-divert --list x | grep -q y; then :; fi", ""),
        ("to=$(dpkg-divert --truename /x)", ""),
        ("dpkg-statoverride --list /x || true; apt --add x", ""),
        ('echo "see adduser(8)"', ""),
        ("echo 'run; adduser x'", ""),
        ('echo "first run systemctl start x"', ""),
        ("cat <<-'EOF'\nadduser x\n\tEOF\ntrue", ""),
        ("true # then adduser x", ""),
        ("  mktexlsr /usr/share/texmf", TEX),
        ("update-texmf-config format map", TEX),
        ("fmtutil-sys --all", TEX),
        ("/usr/lib/mecab/mecab-dict-index -d ${srcdir}", "its installation compiles a dictionary"),
        ("command -v mktexlsr || rm -f /etc/updmap.cfg", ""),
        ("command -v adduser >/dev/null || true", ""),
        ("[ -x /usr/sbin/adduser ] || true", ""),
        ("rm -f /etc/adduser.conf /x/systemctl", ""),
        ("ldconfig", ""),
        ("py3compile -p x", ""),
        ("# adduser is not needed", ""),
        ("dpkg-divert --remove /usr/bin/old", ""),
        ("update-alternatives --install /a a /b 10", ""),
    ],
)
def test_reason_against_a_package(script: str, reason: str) -> None:
    assert reason_against(control("x", f"#!/bin/sh\n{script}\n")) == reason


def test_alternative_with_the_highest_priority_is_chosen() -> None:
    blas = """
update-alternatives --install /usr/lib/x/libblas.so.3 \\
                    libblas.so.3-x /usr/lib/x/blas/libblas.so.3 10
"""
    openblas = """if true; then
  update-alternatives --install /usr/lib/x/libblas.so.3 libblas.so.3-x /usr/lib/x/open/b.so 100 \\
    --slave /usr/lib/x/more.so more /usr/lib/x/open/more.so
fi
update-alternatives --install /usr/bin/$prog $prog /usr/bin/$prog-im6 10000
update-alternatives --install "/usr/bin/unclosed
"""

    assert alternatives([control("openblas", openblas), control("blas", blas)]) == {
        "usr/lib/x/libblas.so.3": "usr/lib/x/open/b.so",
        "usr/lib/x/more.so": "usr/lib/x/open/more.so",
    }


MAVEN = """
basedir=/usr/share/maven
bin="${basedir}/bin"
priority=300
case "$1" in
configure)
    update-alternatives \\
    --install /usr/bin/mvn mvn $bin/mvn $priority \\
    --slave /usr/bin/mvnDebug mvnDebug $bin/mvnDebug
    ;;
esac
"""
IMAGEMAGICK = """
if [ "$1" = "configure" ]
then
    for prog in compare convert; do
        if dpkg --compare-versions "$2" lt-nl "8:6"; then
            update-alternatives --remove-all $prog
        fi
        update-alternatives --install /usr/bin/$prog \\
            $prog /usr/bin/$prog-im6.q16 10000 \\
            --slave /usr/share/man/man1/$prog.1.gz $prog.1.gz /usr/share/man/${prog}-im6.1.gz
    done
fi
"""
UNKNOWN = """
tools=$(ls /usr/lib/x)
dir=/usr/a
dir=/usr/b
for i in $tools; do
    update-alternatives --install /usr/bin/$i $i /usr/lib/x/$i 10
done
update-alternatives --install /usr/bin/y y $dir/y 10
"""


@pytest.mark.parametrize(
    ("script", "links"),
    [
        (
            MAVEN,
            {
                "usr/bin/mvn": "usr/share/maven/bin/mvn",
                "usr/bin/mvnDebug": "usr/share/maven/bin/mvnDebug",
            },
        ),
        (
            IMAGEMAGICK,
            {
                "usr/bin/compare": "usr/bin/compare-im6.q16",
                "usr/bin/convert": "usr/bin/convert-im6.q16",
                "usr/share/man/man1/compare.1.gz": "usr/share/man/compare-im6.1.gz",
                "usr/share/man/man1/convert.1.gz": "usr/share/man/convert-im6.1.gz",
            },
        ),
        (UNKNOWN, {}),
        ("a=$a$a\n" * 4000 + MAVEN.replace("$bin", "$a"), {}),
    ],
)
def test_alternatives_with_constants_and_loops(script: str, links: dict[str, str]) -> None:
    assert alternatives([control("x", script)]) == links


def test_headers_and_compilers_are_not_needed_to_run() -> None:
    controls = [
        control("libpq-dev", Section="libdevel", Depends="libpq5 (= 15), libssl-dev"),
        control("libssl-dev", Section="contrib/libdevel", Depends="libssl3"),
        control("libpq5", Section="libs", Depends="libldap (>= 2) | libldap-2.5-0, gone"),
        control("libldap-2.5-0", Section="libs"),
        control("gcc", Section="devel", Depends="libisl23"),
        control("libisl23", Section="libs"),
        control("x11proto-dev", Section="x11", Depends="libx11-data"),
        control("libx11-data", Section="x11"),
        control("mawk", Section="utils", Provides="awk (= 1)"),
    ]
    by_name = {each.name: each for each in controls}

    assert needed_to_run(by_name, ["libpq-dev", "gcc"]) == {"libpq5", "libldap-2.5-0"}
    assert needed_to_run(by_name, ["awk"]) == {"mawk"}
    assert needed_to_run(by_name, ["x11proto-dev"]) == {"libx11-data"}


@pytest.mark.parametrize(
    ("script", "templates"),
    [
        ("odbcinst -i -d -f /usr/share/sqliteodbc/unixodbc.ini", ["unixodbc.ini"]),
        (
            'if [ "$RET" = true ]; then odbcinst -d -i -f /usr/share/sqliteodbc/a.ini 1>&2; fi',
            ["a.ini"],
        ),
        ('d=/usr/share/sqliteodbc\n/usr/bin/odbcinst -i -d -r -f"$d/a.ini"', ["a.ini"]),
        ("odbcinst -i -s -f /usr/share/sqliteodbc/odbc.ini", []),
        ("odbcinst -u -d -f /usr/share/sqliteodbc/a.ini", []),
        ("odbcinst -i -d -f ../a.ini; odbcinst -i -d -f $1; odbcinst -i -d", []),
        ("# odbcinst -i -d -f /usr/share/sqliteodbc/a.ini", []),
    ],
)
def test_drivers_that_an_installation_registers(script: str, templates: list[str]) -> None:
    expected = [f"usr/share/sqliteodbc/{name}" for name in templates]
    assert driver_templates([control("x", f"set -e\n\n{script}\n")]) == expected


def test_entries_are_names_and_versions() -> None:
    entries = ("libstdc++6", "libgl1=1.6.0-1", "libglib2.0-0")

    assert parsed(entries, "x") == (
        Requested("libgl1", "1.6.0-1"),
        Requested("libglib2.0-0", ""),
        Requested("libstdc++6", ""),
    )


@pytest.mark.parametrize(
    "entry",
    [
        *("libgl1;id", "$(id)", "-o", "--allow-unauthenticated", "libgl1-", "Libgl1", "a", "lib*"),
        *("libgl1/stable", "libgl1:i386", "?essential", "libgl1=", "libgl1=$x", "../a", "a\nb"),
    ],
)
def test_other_entries_are_refused(entry: str) -> None:
    with pytest.raises(BadSystemPackages) as caught:
        parsed(("ffmpeg", entry), "BP_PYTHON_SYSTEM_PACKAGES")

    assert caught.value.entries == (entry,)


def test_two_versions_of_a_package_are_refused() -> None:
    with pytest.raises(BadSystemPackages) as caught:
        parsed(("a1=1", "a1=2"), "x")

    assert caught.value.entries == ("a1=1", "a1=2")
