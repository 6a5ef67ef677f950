"""Hooks of MkDocs: the pages of the contract, links that lead out of the site, and what the reference must have."""

from __future__ import annotations

import logging
import posixpath
import re
from importlib import import_module
from pathlib import Path

from contract_reference import pages
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

_CONTRACT = "reference/contract"
_LINK = re.compile(r"\[([^]]+)\]\(([^)#:\s]+)(?:#[^)\s]*)?\)")
_MODULE = re.compile(r"^::: (\S+)\n(?!    options: .*members: false)", re.MULTILINE)

_logger = logging.getLogger("mkdocs.hooks")  # MkDocs counts its warnings


def on_config(config: MkDocsConfig) -> None:
    """Adds the contract to the navigation."""
    assert config.nav is not None
    config.nav.append({"Contract": [f"{_CONTRACT}/{name}.md" for name in _contract(config)]})


def on_pre_build(config: MkDocsConfig) -> None:
    """Warns of links without a target in the documents beside docs/, such as README.md."""
    for document in _root(config).glob("*.md"):
        for link in _LINK.finditer(document.read_text()):
            _check_target(document.name, document.parent / link[2])


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Adds the pages of the contract."""
    for name, text in _contract(config).items():
        files.append(File.generated(config, f"{_CONTRACT}/{name}.md", content=text))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Leaves only the text of a link that leads out of docs/, such as to the examples: the site does not have them."""

    def inside(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page.file.src_uri), link[2]))
        if not target.startswith("../"):
            return link[0]  # MkDocs checks these
        _check_target(page.file.src_uri, Path(config.docs_dir) / target)
        return link[1]

    return _LINK.sub(inside, markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> None:
    """Warns of a public name that the reference leaves out, because it has no docstring."""
    for module in _MODULE.findall(page.markdown or ""):
        for name in import_module(module).__all__:
            if f'id="{module}.{name}"' not in html:
                _logger.warning("%s: %s.%s has no docstring", page.file.src_uri, module, name)


def _check_target(document: str, target: Path) -> None:
    if not target.exists():
        _logger.warning("%s: %s does not exist", document, target)


def _contract(config: MkDocsConfig) -> dict[str, str]:
    return pages((_root(config) / "build/descriptors.binpb").read_bytes())


def _root(config: MkDocsConfig) -> Path:
    return Path(config.docs_dir).parent
