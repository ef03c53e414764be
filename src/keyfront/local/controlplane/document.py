"""Safe parsing of XML from clients: no DOCTYPE, so no entities, and no deep nesting."""

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from keyfront.local.controlplane.faults import APIError

_MAXIMUM_DEPTH = 64
"""The maximum depth of elements. The deepest shape of the API has about twenty levels."""


class _Refused(Exception):  # noqa: N818  it never leaves this module
    pass


class _Builder(ElementTree.TreeBuilder):
    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def doctype(self, *_: object) -> None:
        raise _Refused("it has a DOCTYPE, which is not allowed")

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        if self._depth > _MAXIMUM_DEPTH:
            raise _Refused(f"its elements nest deeper than {_MAXIMUM_DEPTH} levels")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def parse(body: bytes) -> Element:
    """Return the root element of `body`. Raise `APIError` `MalformedInput` if it is not XML, or unsafe."""
    # S314 warns about entities. Only a DOCTYPE can declare one, and the builder refuses it.
    parser = ElementTree.XMLParser(target=_Builder())  # noqa: S314
    try:
        parser.feed(body)
        root: Element = parser.close()
    except (ElementTree.ParseError, ValueError, LookupError, _Refused) as error:
        raise APIError("MalformedInput", f"The body is not XML that can be read: {error}.") from None
    return root


def local_name(element: Element) -> str:
    """Return the element's name without its namespace. Clients send the API's namespace, an older one, or none."""
    return element.tag.rpartition("}")[2]
