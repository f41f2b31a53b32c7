"""SVG as matplotlib writes it, made fit for a page: no ids that clash, no styles that leak, values to point at."""

from __future__ import annotations

import hashlib
import re
from xml.etree import ElementTree

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_LINK = f"{{{_XLINK}}}href"
_TITLE = "title:"


def titled(words: str) -> str:
    """The id for a mark that is to show ``words`` when pointed at; ``tidy_svg`` makes a title of it."""
    return _TITLE + words


def tidy_svg(text: str) -> str:
    """The ``svg`` element of a document, for a file of its own or inside a page.

    Several charts may stand in one page, where ids and style sheets are common to all: the style sheet becomes
    attributes, ids that nothing refers to go, and the others begin with a fingerprint of the chart.
    """
    root = ElementTree.fromstring(text)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)
    root.attrib |= {"role": "img", "stroke-linejoin": "round", "stroke-linecap": "butt"}
    fingerprint = hashlib.sha256(text.encode()).hexdigest()[:8]
    names: dict[str, str] = {}

    def renamed(match: re.Match[str]) -> str:
        return f"#{names.setdefault(match[1], f'c{fingerprint}-{len(names)}')}"

    for element in root.iter():
        for key, value in element.attrib.items():
            if key == _LINK:
                element.attrib[key] = re.sub(r"^#(.+)", renamed, value)
            elif "url(#" in value:
                element.attrib[key] = re.sub(r"(?<=url\()#([^)]+)", renamed, value)
    for element in root.iter():
        name = element.attrib.pop("id", "")
        if name in names:
            element.attrib["id"] = names[name]
        elif name.startswith(_TITLE):
            title = ElementTree.Element(f"{{{_SVG}}}title")
            title.text = name.removeprefix(_TITLE)
            element.insert(0, title)
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    return ElementTree.tostring(root, encoding="unicode")
