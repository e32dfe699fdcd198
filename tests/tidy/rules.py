"""The rules. Each is a function (Tree) -> findings; a Finding names file, line, rule and what is wrong."""

import fnmatch
import os
import re
from collections import namedtuple

from cpp_text import functions, without_comments_and_literals
from std_names import HEADERS_OF

Finding = namedtuple('Finding', 'path line rule message')

FILE_LINES_MAX = 399
FUNCTION_LINES_MAX = 59
SOURCE_ROOTS = ('master', 'worker', 'common', 'tests', 'bench')
SOURCE_SUFFIXES = ('.h', '.cpp', '.c', '.def')
TOP_LEVEL = {'CMakeLists.txt', 'master', 'worker', 'common', 'bench', 'tests', 'docs', 'README.md'}

# Who may include what (docs/architecture.md). A room is a directory, or one file where a file has rules of its own.
INTERFACES = ['worker/upload/body_sink.h', 'worker/upload/strategies.h', 'worker/upload/strategies.def',
              'worker/upload/remover.h', 'worker/upload/form.h', 'worker/upload/keep.h',
              'worker/upload/digest_sink.h', 'worker/storage/digest.h', 'worker/download/body_source.h',
              'worker/download/file_digest.h', 'worker/download/strategies.h', 'worker/download/strategies.def']
MAY_INCLUDE = {
    'common': ['common'],
    'master': ['common', 'master'],
    'worker/loop': ['common', 'worker/loop'],
    'worker/storage': ['common', 'worker/storage'],
    'worker/http': ['common', 'worker/http', 'worker/loop'] + INTERFACES,
    'worker/upload': ['common', 'worker/upload', 'worker/loop', 'worker/storage'],
    'worker/download': ['common', 'worker/download', 'worker/loop', 'worker/storage'],
    'worker/routes': ['common', 'worker/routes', 'worker/http', 'worker/upload', 'worker/download',
                      'worker/storage'],
    'worker': ['common', 'worker'],  # what lies directly in worker/: main
}
# Headers of libraries that only one place may know.
ONLY_IN = {
    'uv.h': ['master', 'worker/loop', 'tests'],
    'llhttp.h': ['worker/http/parser.', 'bench/load/response_reader.', 'tests'],
    'liburing.h': ['worker/loop/ring.', 'tests'],
    'openssl/evp.h': ['worker/storage/digest.', 'tests'],
}

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]')


class Tree:
    """The files below a root that belong to the project: what .gitignore names is left out."""

    def __init__(self, root):
        self.root = root
        self.ignored = self._ignored()
        self._texts = {}

    def _ignored(self):
        try:
            with open(os.path.join(self.root, '.gitignore'), encoding='utf-8') as file:
                return [line.strip().strip('/') for line in file if line.strip() and line[0] != '#']
        except FileNotFoundError:
            return []

    def is_ignored(self, name):
        return any(fnmatch.fnmatch(name, pattern) for pattern in self.ignored)

    def top_level(self):
        return sorted(name for name in os.listdir(self.root) if not self.is_ignored(name))

    def sources(self, suffixes=SOURCE_SUFFIXES, below=SOURCE_ROOTS):
        for top in below:
            for directory, names, files in os.walk(os.path.join(self.root, top)):
                names[:] = sorted(name for name in names if not self.is_ignored(name))
                for name in sorted(files):
                    if name.endswith(suffixes):
                        yield os.path.relpath(os.path.join(directory, name), self.root)

    def text(self, path):
        if path not in self._texts:
            with open(os.path.join(self.root, path), encoding='utf-8') as file:
                self._texts[path] = file.read()
        return self._texts[path]

    def code(self, path):
        return without_comments_and_literals(self.text(path))

    def includes(self, path):
        """(line, is a library's, name) of every include that is not in a comment."""
        code = self.code(path).split('\n')
        for number, line in enumerate(self.text(path).split('\n'), 1):
            match = _INCLUDE.match(line)
            if match and code[number - 1].lstrip().startswith('#'):
                yield number, match.group(1) == '<', match.group(2)

    def exists(self, path):
        return os.path.isfile(os.path.join(self.root, path))


def room_of(path):
    directory = os.path.dirname(path)
    while directory and directory not in MAY_INCLUDE:
        directory = os.path.dirname(directory)
    return directory


def allowed(room, included):
    """Whether `included` lies in one of the places open to the room (deeper folders belong to their room)."""
    places = MAY_INCLUDE[room]
    if included in places:
        return True
    if room == 'worker':
        return included.startswith(('common/', 'worker/'))
    return room_of(included) in places


def include_table(tree):
    """A room includes only what the architecture opens to it."""
    for path in tree.sources():
        room = room_of(path)
        if not room:
            continue
        for line, library, name in tree.includes(path):
            if not library and tree.exists(name) and not allowed(room, name):
                yield Finding(path, line, 'include_table', f'{room} may not include "{name}"; '
                              f'open to it: {", ".join(MAY_INCLUDE[room])}')


def include_root(tree):
    """Our own headers are named from the project's root."""
    for path in tree.sources():
        beside = 'tests/' if path.startswith('tests/') else ''
        for line, library, name in tree.includes(path):
            if not library and not tree.exists(name) and not (beside and tree.exists(beside + name)):
                yield Finding(path, line, 'include_root', f'"{name}" is no file of ours seen from the root')


def library_walls(tree):
    """<uv.h>, <llhttp.h> and <liburing.h> are known to one place each."""
    for path in tree.sources():
        for line, library, name in tree.includes(path):
            places = ONLY_IN.get(name)
            if places and not any(path.startswith(place) for place in places):
                yield Finding(path, line, 'library_walls', f'<{name}> is only for {", ".join(places)}')


def file_length(tree):
    """Files stay under 400 lines."""
    for path in tree.sources():
        lines = len(tree.text(path).splitlines())
        if lines > FILE_LINES_MAX:
            yield Finding(path, lines, 'file_length', f'{lines} lines; at most {FILE_LINES_MAX}')


def function_length(tree):
    """Functions stay under 60 lines."""
    for path in tree.sources():
        for first, last, name in functions(tree.text(path)):
            lines = last - first + 1
            if lines > FUNCTION_LINES_MAX:
                yield Finding(path, first, 'function_length',
                              f'{lines} lines; at most {FUNCTION_LINES_MAX}: {name[:60]}')


def top_level(tree):
    """Nothing new beside the eight fixed entries, except dotfiles."""
    for name in tree.top_level():
        if not name.startswith('.') and name not in TOP_LEVEL:
            yield Finding(name, 1, 'top_level', 'the top level holds only ' + ' '.join(sorted(TOP_LEVEL)))


def _search(tree, rule, pattern, message, below=SOURCE_ROOTS):
    for path in tree.sources(below=below):
        for match in re.finditer(pattern, tree.code(path)):
            yield Finding(path, tree.code(path).count('\n', 0, match.start()) + 1, rule, message)


def capture_all(tree):
    """A lambda says what it captures."""
    return _search(tree, 'capture_all', r'\[\s*=\s*[,\]]', '[=] hides what is captured; name it')


def std_function(tree):
    """No std::function in the worker: it allocates and hides who is called."""
    return _search(tree, 'std_function', r'\bstd\s*::\s*function\s*<', 'std::function in worker/', ('worker',))


def pragma_once(tree):
    """Every header begins with #pragma once."""
    for path in tree.sources(suffixes=('.h',)):
        if not re.match(r'\s*#pragma once\b', tree.code(path)):
            yield Finding(path, 1, 'pragma_once', 'does not begin with #pragma once')


def std_include(tree):
    """A header includes itself what it names of the standard library: tidy.py --headers cannot see that."""
    for path in tree.sources(suffixes=('.h',)):
        included = {f'<{name}>' for _, library, name in tree.includes(path) if library}
        for number, line in enumerate(tree.code(path).split('\n'), 1):
            for name in re.findall(r'\bstd::(\w+)', line):
                headers = HEADERS_OF.get(name)
                if headers is None:
                    yield Finding(path, number, 'std_include', f'tests/tidy/std_names.py does not know std::{name}')
                elif included.isdisjoint(headers):
                    yield Finding(path, number, 'std_include', f'std::{name} is from {" or ".join(headers)}')


RULES = [include_table, include_root, library_walls, file_length, function_length, top_level, capture_all,
         std_function, pragma_once, std_include]
