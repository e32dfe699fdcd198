"""What others wrote (names, reasons, versions in a report; the output of a server), made harmless to show."""

import unicodedata
from dataclasses import fields, is_dataclass, replace

UNSEEN = ('Cc', 'Cf', 'Cs')  # controls, marks that turn the direction of text, halves of a character: what a terminal obeys or can't show


def line(text):
    """A line of it: what would break the line is a space, what can't be seen is written as an escape."""
    return ''.join(' ' if char in '\t\n\r' else ascii(char)[1:-1] if unicodedata.category(char) in UNSEEN else char for char in text)


def harmless(value):
    """The same report, row, list ... with every text in it a harmless line."""
    if isinstance(value, str):
        return value if value.isascii() and value.isprintable() else line(value)
    if isinstance(value, dict):
        return {harmless(key): harmless(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(harmless, value))
    if is_dataclass(value):
        return replace(value, **{each.name: harmless(getattr(value, each.name)) for each in fields(value)})
    return value
