"""A page of a study: everything escaped, the same words in HTML and Markdown, figures beside the latter."""

from nwbsparse.views.drawing import axes, svg
from nwbsparse.views.study.page import (
    Grid,
    Listed,
    Page,
    Picture,
    Section,
    Verdict,
    Words,
    as_html,
    as_markdown,
    figure_files,
)

HOSTILE = "<script>alert('x')</script>"


def page():
    return Page(
        "A study", "two animals", f"In short {HOSTILE}",
        [
            Section("claims", "Claims", [
                Verdict("It is so.", "section 1", "holds also untrained", ["0.5 against 0.4"]),
                Verdict("It is not.", "section 2", "not run here", []),
            ]),
            Section("rest", "The rest", [
                Words("A sentence."), Listed(["one", "two"]),
                Grid("Numbers", ["", "a|b"], [["row", "0.1"]], folded=True),
                Picture("figure-1.svg", "Figure 1.", "What it shows.", svg(axes(None, (2.0, 1.0)))),
            ]),
        ],
    )  # fmt: skip


def test_html_needs_nothing_but_itself_and_escapes_what_it_is_given():
    html = as_html(page())
    assert HOSTILE not in html and "&lt;script&gt;" in html
    assert "http://" not in html.replace("http-equiv", "") and "https://" not in html
    assert '<span class="badge weak">holds also untrained</span>' in html
    assert '<span class="badge open">not run here</span>' in html
    assert '<a href="#rest">The rest</a>' in html and "<summary>Numbers</summary>" in html


def test_markdown_has_the_same_and_names_the_files_of_its_figures():
    text = as_markdown(page())
    for words in (
        "# A study",
        "## Claims",
        "### It is so. (section 1)",
        "**holds also untrained**",
    ):
        assert words in text
    assert "|  | a\\|b |" in text and "![Figure 1.](figure-1.svg)" in text
    assert list(figure_files(page())) == ["figure-1.svg"]


def test_the_same_page_is_the_same_bytes():
    assert as_html(page()) == as_html(page())
    assert figure_files(page()) == figure_files(page())
