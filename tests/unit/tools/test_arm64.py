"""Shards for any processor are compared between architectures."""

from tools.bases import arm64, sample_builds
from tools.bases.layers import Layer
from tools.platforms import rootfs


def test_only_shards_for_any_processor_have_to_be_the_same() -> None:
    here = (
        Layer("python", "sha256:a"),
        Layer("deps-00", "sha256:b", native=("psycopg_binary",)),
        Layer("deps-01", "sha256:c"),
        Layer("deps-django", "sha256:d"),
    )
    emulated = (
        Layer("python", "sha256:x"),
        Layer("deps-00", "sha256:y", native=("psycopg_binary",)),
        Layer("deps-01", "sha256:z"),
        Layer("deps-django", "sha256:d"),
    )

    compared = arm64.compare(here, emulated)

    assert [each.name for each in compared.same] == ["deps-django"]
    assert arm64.problems(sample_builds.DJANGO, compared) == [
        "pip_django: shard deps-01 differs on arm64"
    ]


def test_shard_with_native_code_on_one_of_them_is_not_compared() -> None:
    here = (Layer("deps-00", "sha256:a"),)
    emulated = (Layer("deps-00", "sha256:b", native=("x",)),)

    assert arm64.compare(here, emulated) == arm64.Comparison((), ())


def test_base_for_arm64_has_its_architecture() -> None:
    assert rootfs.base("run", arm64.BASE).arch == arm64.ARCH
