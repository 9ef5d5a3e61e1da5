from __future__ import annotations

from typing import TYPE_CHECKING

from dicomsim import resources

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_checkout_has_its_scenarios_and_captures_beside_the_package() -> None:
    assert (resources.scenarios() / "README.md").is_file()
    assert (resources.captures() / "README.md").is_file()


def test_an_installed_package_has_them_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "dicomsim" / "_share"
    installed.mkdir(parents=True)
    monkeypatch.setattr(resources, "_INSTALLED", installed)
    assert (installed / "scenarios", installed / "captures") == (resources.scenarios(), resources.captures())
