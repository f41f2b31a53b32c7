"""SVG that may stand beside other SVG in one page."""

from __future__ import annotations

from xml.etree import ElementTree

from spikebridge.evaluation.svg import tidy_svg, titled

_SVG = "{http://www.w3.org/2000/svg}"

WRITTEN = """<?xml version="1.0"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">
 <metadata>made by</metadata>
 <defs><style type="text/css">*{stroke-linejoin: round}</style></defs>
 <g id="axes_1"><g id="%s"><path d="M 0 0" clip-path="url(#clip)" style="fill: #abc; mask: url(#clip)"/></g>
 <use xlink:href="#tick" style="stroke: #123456"/></g>
 <defs><path id="tick" d="M 0 0"/><clipPath id="clip"><rect/></clipPath></defs>
</svg>"""


def test_ids_are_its_own_and_colours_stay():
    text = tidy_svg(WRITTEN % "patch_1")
    root = ElementTree.fromstring(text)
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids)) == 2
    assert all(f"#{name}" in text for name in ids)
    assert not {"tick", "clip", "axes_1"} & set(ids)
    assert "fill: #abc" in text
    assert "stroke: #123456" in text
    other = tidy_svg(WRITTEN.replace("0 0 9 9", "0 0 8 8") % "patch_1")
    assert not set(ids) & {e.attrib["id"] for e in ElementTree.fromstring(other).iter() if "id" in e.attrib}


def test_nothing_applies_to_the_page_around_it():
    root = ElementTree.fromstring(tidy_svg(WRITTEN % "patch_1"))
    assert not list(root.iter(f"{_SVG}style"))
    assert not list(root.iter(f"{_SVG}metadata"))
    assert root.attrib["stroke-linejoin"] == "round"


def test_a_mark_shows_its_words():
    root = ElementTree.fromstring(tidy_svg(WRITTEN % titled("3 &lt; 4")))
    (group,) = [element for element in root.iter(f"{_SVG}g") if element.find(f"{_SVG}title") is not None]
    assert group.find(f"{_SVG}title").text == "3 < 4"
    assert group.find(f"{_SVG}path") is not None
