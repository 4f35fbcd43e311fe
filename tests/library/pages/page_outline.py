"""What stands on a written page: elements, headings, places, links, words."""

import re
from html.parser import HTMLParser


class Outline(HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.headings, self.words, self._open = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_endtag(self, tag):
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data):
        if not self._open:
            self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).replace("\u00a0", " ").split())

    @property
    def ids(self):
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]

    @property
    def links(self):
        return [attributes["href"] for tag, attributes in self.tags if tag == "a" and "href" in attributes]

    def check_sound(self):
        """One h1, no heading level jumped, no place twice, nothing loaded, no inline style or event."""
        assert self.headings[0] == 1
        assert self.headings.count(1) == 1
        pairs = zip(self.headings, self.headings[1:], strict=False)
        assert all(later - earlier <= 1 for earlier, later in pairs)
        assert len(set(self.ids)) == len(self.ids)
        for tag, attributes in self.tags:
            assert tag not in {"iframe", "object", "embed", "base", "img", "form", "video", "audio"}
            for name, value in attributes.items():
                assert not name.startswith("on"), (tag, name)
                assert name not in {"style", "src", "srcset", "action"}, (tag, value)
        for link in self.links:
            assert not link.lower().startswith(("javascript", "data:", "file:"))
            if link.startswith("#"):
                assert link[1:] in self.ids, link
