"""What mkdocs is told beyond mkdocs.yml: pages made from code, formulas, links, no network.

Formulas are written as GitHub writes them (a block of ``math``, or $`x`$ in a line) and become
MathML when the site is built, by latex2mathml: browsers draw it themselves.
"""

import re
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

from docs.tools.options import options_page

ROOT = Path(__file__).parents[2]
RESULTS = "benchmarks/results"
BLOCK = re.compile(r"^```math\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"\$`([^`]+)`\$")
MARK = "xFORMULA{}x"
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE_LINK = re.compile(r"\[([^\]]+)\]\((?:\.\./)*([\w/]+\.py)\)")  # code has no page on the site
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)[^>]+src="?https?:|<link[^>]+rel="?(?:stylesheet|pre)[^>]+https?:"""
)


def on_files(files: Any, config: Any) -> Any:
    """Add what lies elsewhere or is made: options, how to contribute, changes, results."""
    made = {
        "options.md": options_page(),
        "contributing.md": (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
    }
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    for path in sorted((ROOT / RESULTS).iterdir()):
        if path.suffix in (".md", ".png"):
            files.append(File.generated(config, f"results/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links of the repository into links of the site, and set formulas aside."""
    formulas: list[str] = []

    def set_aside(found: re.Match[str], display: str) -> str:
        formulas.append(convert(found[1].strip(), display=display))
        mark = MARK.format(len(formulas) - 1)
        return f"\n{mark}\n" if display == "block" else mark

    text = BLOCK.sub(lambda found: set_aside(found, "block"), markdown)
    text = INLINE.sub(lambda found: set_aside(found, "inline"), text)
    page.meta["formulas"] = formulas
    text = CODE_LINK.sub(r"\1 (`\2`)", text)
    return LINK.sub(lambda found: f"]({site_link(found[1], page.file.src_uri)})", text)


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Put the formulas in their places."""
    for at, formula in enumerate(page.meta["formulas"]):
        html = html.replace(MARK.format(at), formula)
    return html


def on_post_page(output: str, **_: Any) -> str:
    """Name what a screen reader announces and the theme leaves without a name."""
    return output.replace('role="dialog">', 'role="dialog" aria-label="Search">', 1)


def on_post_build(config: Any) -> None:
    """Refuse a site that fetches anything from elsewhere."""
    for path in Path(config.site_dir).rglob("*.html"):
        if found := FETCHED.search(path.read_text(encoding="utf-8")):
            raise PluginError(f"{path.name} fetches something: {found[0]}")


def site_link(link: str, page: str) -> str:
    """Where a link of a page in the repository leads on the site.

    >>> site_link("../CONTRIBUTING.md#a-task", "design.md")
    'contributing.md#a-task'
    >>> site_link("docs/speed.md", "contributing.md")
    'speed.md'
    """
    up = "../" * page.count("/")
    target = link.removeprefix("../") if not page.count("/") else link
    target = target.removeprefix("docs/") if page in ("contributing.md", "changelog.md") else target
    if target.startswith(f"{RESULTS}/"):
        return f"{up}results/{target.removeprefix(RESULTS + '/')}"
    for name in ("CONTRIBUTING.md", "CHANGELOG.md"):
        if target.startswith(name):
            return up + target.replace(name, name.lower(), 1)
    return target
