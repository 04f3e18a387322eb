"""Names that come from files are text on the page, whatever they hold."""

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.sampled import sampled

PAYLOADS = (
    "![](http://x/p).mp4",
    "[a](http://x/)",
    "<script>x()</script>",
    "<img src=//x/p>",
    "<b>bold</b>",
    "**bold**.mp4",
    "__under__.mov",
    "~~gone~~",
    "`code`.mp4",
    "# heading",
    "- item",
    "1. item.mp4",
    "> quote",
    "| a | b |",
    "$x^2$.mp4",
    ":red[danger]",
    ":material/delete:",
    ":smile:.mp4",
    "http://x/p.mp4",
    "www.example.com",
    "a@example.com",
    "&lt;i&gt;.mp4",
    "[x]: http://x/ 'y'",
    "javascript:alert(1)",
    "\\*not\\*.mp4",
    "<!-- x -->.mp4",
)


def draw_everything(name: str) -> None:
    """Every panel that shows something of a file, with that name."""
    import io
    from fractions import Fraction

    from PIL import Image

    from search_app.cutting.stored_cut import CutClip, StoredCut
    from search_app.search.ranking import Hit
    from search_app.ui import panels
    from store.errors import ArchiveError
    from store.records import Boundary, Shot, ShotRow, VideoFacts
    from store.timespan import TimeSpan

    def fail() -> str:
        raise ArchiveError(f"cannot read {name}")

    picture = io.BytesIO()
    Image.new("RGB", (16, 9)).save(picture, "JPEG")
    span = TimeSpan(Fraction(0), Fraction(2))
    hit = Hit(1, 0.5, ShotRow("0" * 16, "v", f"/v/{name}", Shot(0, span, Boundary.START), ""), Fraction(1), "")
    facts = VideoFacts(name, name, 64, 36, 0, None, Fraction(1, 25), Fraction(0), span, 50, False)
    clip = CutClip("v", span, Fraction(1), f"/v/{name}", hit.shot.shot_id, name)
    panels.show_grid([hit], lambda _: True, lambda *_: None, lambda _: picture.getvalue())
    panels.show_cut(StoredCut("picks", "1", (clip,)), Fraction(2), is_rendering=False)
    panels.show_problem("Something failed", f"cannot read {name}")
    panels.play_hit(hit, facts, fail, captions=[name, f"{name} (unsure)"])


def elements_of(block: Any) -> Iterator[Any]:
    """Everything on the page, however deep."""
    for child in block.children.values():
        if hasattr(child, "children"):
            yield from elements_of(child)
        else:
            yield child


@pytest.mark.parametrize("name", sampled(PAYLOADS, 2))
def test_a_name_shows_as_text_and_only_there(name: str) -> None:
    """No markdown, label, caption or alternative text holds the name; text elements show it as it is."""
    page = AppTest.from_function(draw_everything, kwargs={"name": name}, default_timeout=20).run()
    assert [] == list(page.exception)
    elements = [element for root in page._tree.children.values() for element in elements_of(root)]
    carriers = {element.type for element in elements if name.encode() in element.proto.SerializeToString()}
    assert {"text"} == carriers
    assert [f"cannot read {name}"] * 2 == [text.value for text in page.text if text.value.startswith("cannot")]
