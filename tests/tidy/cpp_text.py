"""Just enough C++ to measure it: text without comments and literals, and where functions begin and end."""

import re
from bisect import bisect_right

_TOKEN = re.compile(
    r'(?P<line_comment>//(?:\\\n|[^\n])*)'
    r'|(?P<block_comment>/\*.*?\*/)'
    r'|(?P<raw>(?:u8|[uUL])?R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)")'
    r'|(?P<string>"(?:\\.|[^"\\\n])*")'
    r"|(?P<char>(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+')",
    re.DOTALL)

_DIRECTIVE = re.compile(r'^[ \t]*#(?:\\\n|[^\n])*', re.MULTILINE)
_CONTAINER = re.compile(r'\b(?:namespace|class|struct|union|enum)\b[^()=;]*$|\bextern\s*""$')
_INITIALISER_LIST = re.compile(r'\)\s*(?:noexcept\s*(?:\([^()]*\))?\s*)?:(?!:)')
_QUALIFIERS = {'const', 'noexcept', 'override', 'final', 'mutable', 'try', 'volatile'}


def _blank(match):
    """Keeps lines and columns; a literal leaves its quotes behind."""
    text = match.group(0)
    blank = re.sub(r'[^\n]', ' ', text)
    if match.group('string') or match.group('raw'):
        return '""' + blank[2:]
    return blank


def without_comments_and_literals(text):
    return _TOKEN.sub(_blank, text)


def without_directives(text):
    return _DIRECTIVE.sub(lambda match: re.sub(r'[^\n]', ' ', match.group(0)), text)


def _is_initialiser(head):
    """The brace after `head` begins a value, not a body: `: fd_{`, `= {`, `Foo bar{`."""
    stripped = head.rstrip()
    if not stripped or stripped[-1] in '=,(':
        return True
    if _INITIALISER_LIST.search(stripped):
        last = re.search(r'[\w>]+$', stripped)
        return bool(last) and last.group(0) not in _QUALIFIERS
    return False


class _Scope:
    def __init__(self, kind, start, parentheses):
        self.kind, self.start, self.parentheses = kind, start, parentheses


def functions(text):
    """Yields (first line, last line, first words) of every function body that is not inside another."""
    code = without_directives(without_comments_and_literals(text))
    starts = [0] + [match.end() for match in re.finditer('\n', code)]
    line_of = lambda offset: bisect_right(starts, offset)
    stack, head_start, position, parentheses = [], 0, 0, 0
    for match in re.finditer(r'[{};()]', code):
        position, mark = match.start(), match.group(0)
        if mark in '()':
            parentheses += 1 if mark == '(' else -1
        elif mark == '{':
            head = code[head_start:position]
            kind = _kind(head, stack[-1].kind if stack else 'container', parentheses)
            stack.append(_Scope(kind, head_start, parentheses))
            if kind == 'value':
                continue
            parentheses, head_start = 0, position + 1
        elif mark == '}' and stack:
            scope = stack.pop()
            parentheses = scope.parentheses
            if scope.kind == 'value':
                continue
            if scope.kind == 'function':
                begin = scope.start + len(code[scope.start:]) - len(code[scope.start:].lstrip())
                yield line_of(begin), line_of(position), ' '.join(code[begin:position].split('{')[0].split())
            head_start = position + 1
        elif mark == ';' and parentheses == 0 and not (stack and stack[-1].kind == 'value'):
            head_start = position + 1


def _kind(head, around, parentheses):
    """What the brace after `head` opens: a container of declarations, a function, a block in one, or a value."""
    if around in ('function', 'block'):
        return 'block'
    if around == 'value' or parentheses > 0 or _is_initialiser(head):
        return 'value'
    if _CONTAINER.search(head.rstrip()):
        return 'container'
    return 'function' if '(' in head else 'value'
