"""XML as text, with a declaration of its kind."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element


def xml_text(root: Element, doctype: str) -> str:
    """The document, indented."""
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {doctype}>\n{body}\n'
