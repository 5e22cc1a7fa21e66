"""The wheel that is installed: what is in it, and under which licences what it needs is."""

from __future__ import annotations

import os
import re
import sys
import zipfile
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path

import haca
import pytest
from packaging.requirements import Requirement

# Of names, expressions and classifiers alike.
PERMISSIVE = re.compile(r"MIT|BSD|Apache|Python Software Foundation|PSF|ISC|Public Domain|Unlicense")
COPYLEFT = re.compile(r"GPL|General Public|MPL|Mozilla|EUPL", re.IGNORECASE)
IMPORT = re.compile(r"^(?:from|import) ([A-Za-z_]\w*)", re.MULTILINE)


def needs(found: Distribution) -> list[str]:
    requirements = [Requirement(text) for text in found.requires or []]
    return [
        requirement.name
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    ]


def licences(found: Distribution) -> str:
    metadata = found.metadata
    # A whole licence's text stands in the field License of some; its first line names it.
    field = (metadata.get("License") or "").strip().split("\n")[0]
    classifiers = [text for text in metadata.get_all("Classifier") or [] if "License ::" in text]
    return " | ".join([metadata.get("License-Expression") or "", field, *classifiers])


def test_nothing_it_needs_is_under_a_copyleft_licence() -> None:
    seen: dict[str, str] = {}
    waiting = ["haca"]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in seen:
            continue
        found = distribution(name)
        seen[name] = licences(found)
        waiting.extend(needs(found))
    assert len(seen) > 8
    assert [name for name, text in seen.items() if COPYLEFT.search(text)] == []
    assert [name for name, text in seen.items() if not PERMISSIVE.search(text)] == []


def test_it_imports_what_it_says_that_it_needs_and_nothing_else() -> None:
    direct = {re.sub(r"[-_.]+", "-", name).lower() for name in needs(distribution("haca"))}
    owners = packages_distributions()
    imported = set()
    for path in Path(haca.__file__).parent.rglob("*.py"):
        for name in IMPORT.findall(path.read_text("utf-8")):
            if name not in sys.stdlib_module_names and name != "haca":
                imported.update(re.sub(r"[-_.]+", "-", owner).lower() for owner in owners[name])
    assert imported == direct


def test_the_wheel_is_typed_and_has_its_licence_and_no_tests() -> None:
    wheel = os.environ.get("HACA_WHEEL")
    if wheel is None:
        pytest.skip("HACA_WHEEL names no wheel")
    names = zipfile.ZipFile(wheel).namelist()
    assert "haca/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "test" in name or not re.match(r"haca(/|-)", name)]
    assert wheel.endswith("-py3-none-any.whl")
    # What was tested is what is in the wheel.
    assert "site-packages" in haca.__file__
