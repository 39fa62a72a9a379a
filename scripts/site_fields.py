"""The content of the reference: examples as code, comments of fields with units, no `__init__`."""

import re
from typing import Any

import griffe

TRAILING = re.compile(r"(?:^|\s)# (?P<text>.+)$")


class FieldComments(griffe.Extension):
    """Give every annotated attribute without a docstring the comment at the end of its line."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Show an example as code: griffe knows its section in the plural alone."""
        if obj.docstring:
            text = obj.docstring.value
            obj.docstring.value = re.sub(r"^( *)Example:$", r"\1Examples:", text, flags=re.M)

    def on_attribute_instance(self, *, attr: griffe.Attribute, **_: Any) -> None:
        """Take the comment, unless the attribute is documented or is no field."""
        if attr.docstring or attr.annotation is None or attr.endlineno is None:
            return
        line = attr.lines_collection[attr.filepath][attr.endlineno - 1]
        if found := TRAILING.search(line):
            text = re.sub(r"^(noqa|type: ignore)\b.*", "", found["text"])
            if text:
                attr.docstring = griffe.Docstring(text[0].upper() + text[1:] + ".", parent=attr)

    def on_function_instance(self, *, func: griffe.Function, **_: Any) -> None:
        """Leave out `__init__` and its kind."""
        if func.name.startswith("__"):
            func.public = False
