#!/usr/bin/env python3
"""Shows that every rule can fail: each is run over a small tree with the mistake planted, and over one without.

selftest.py [compiler]
"""

import os
import shutil
import sys
import tempfile
import unittest

import rules
import tidy
from cpp_text import functions

COMPILER = sys.argv.pop(1) if len(sys.argv) > 1 else 'c++'

LONG_BODY = '  step();\n' * 57

# rule -> (name of the case, files, expected (path, line) of the findings)
CASES = {
    'include_table': [
        ('common looks into the worker', {'common/a.h': '#include "worker/loop/b.h"\n', 'worker/loop/b.h': ''},
         [('common/a.h', 1)]),
        ('master looks into the worker', {'master/a.cpp': '\n#include "worker/main.h"\n', 'worker/main.h': ''},
         [('master/a.cpp', 2)]),
        ('storage knows the loop', {'worker/storage/a.cpp': '#include "worker/loop/b.h"\n', 'worker/loop/b.h': ''},
         [('worker/storage/a.cpp', 1)]),
        ('loop knows http', {'worker/loop/a.cpp': '#include "worker/http/b.h"\n', 'worker/http/b.h': ''},
         [('worker/loop/a.cpp', 1)]),
        ('http takes a strategy by its name',
         {'worker/http/a.cpp': '#include "worker/upload/body_sink.h"\n#include "worker/upload/blocking.h"\n',
          'worker/upload/body_sink.h': '', 'worker/upload/blocking.h': ''}, [('worker/http/a.cpp', 2)]),
        ('http opens files', {'worker/http/a.cpp': '#include "worker/storage/b.h"\n', 'worker/storage/b.h': ''},
         [('worker/http/a.cpp', 1)]),
        ('upload knows http', {'worker/upload/a.cpp': '#include "worker/http/b.h"\n', 'worker/http/b.h': ''},
         [('worker/upload/a.cpp', 1)]),
        ('routes know the loop', {'worker/routes/a.cpp': '#include "worker/loop/b.h"\n', 'worker/loop/b.h': ''},
         [('worker/routes/a.cpp', 1)]),
        ('a folder of a room is the room', {'worker/loop/deep/a.cpp': '#include "worker/http/b.h"\n', 'worker/http/b.h': ''},
         [('worker/loop/deep/a.cpp', 1)]),
        ('what is allowed',
         {'worker/main.cpp': '#include "worker/loop/b.h"\n#include "common/c.h"\n',
          'worker/routes/a.cpp': '#include "worker/http/d.h"\n#include "worker/storage/e.h"\n',
          'worker/storage/f.cpp': '// #include "worker/loop/b.h"\n/*\n#include "worker/loop/b.h"\n*/\n',
          'tests/unit/x.cpp': '#include "worker/loop/b.h"\n', 'common/c.h': '', 'worker/loop/b.h': '#include "common/c.h"\n',
          'worker/http/d.h': '#include "worker/upload/strategies.def"\n', 'worker/upload/strategies.def': '',
          'worker/storage/e.h': ''}, []),
    ],
    'include_root': [
        ('a header beside', {'common/a.cpp': '#include "b.h"\n', 'common/b.h': ''}, [('common/a.cpp', 1)]),
        ('what is allowed', {'tests/unit/a.cpp': '#include "support/b.h"\n#include "common/c.h"\n', 'tests/support/b.h': '',
                             'common/c.h': ''}, []),
    ],
    'library_walls': [
        ('uv in http', {'worker/http/a.h': '#include <uv.h>\n'}, [('worker/http/a.h', 1)]),
        ('uv in worker/main', {'worker/main.cpp': '#include <uv.h>\n'}, [('worker/main.cpp', 1)]),
        ('llhttp beside the parser', {'worker/http/request.cpp': '#include <llhttp.h>\n'}, [('worker/http/request.cpp', 1)]),
        ('what is allowed', {'worker/loop/a.h': '#include <uv.h>\n', 'master/a.cpp': '#include <uv.h>\n',
                             'worker/http/parser.cpp': '#include <llhttp.h>\n'}, []),
    ],
    'file_length': [
        ('400 lines', {'bench/floor/a.c': '\n' * 400}, [('bench/floor/a.c', 400)]),
        ('399 lines', {'bench/floor/a.c': '\n' * 399}, []),
    ],
    'function_length': [
        ('a function', {'common/a.cpp': '\nvoid f() {\n' + LONG_BODY + '\n}\n'}, [('common/a.cpp', 2)]),
        ('a method in a class in a namespace',
         {'common/a.h': 'namespace n {\nclass A : public B {\n int f() const override {\n' + LONG_BODY + '\n }\n};\n}\n'},
         [('common/a.h', 3)]),
        ('a constructor with braces in its list',
         {'common/a.cpp': 'A::A(int x)\n    : a_{x}, b_(2), c_{{1}, 2} {\n' + LONG_BODY + '}\n'}, [('common/a.cpp', 1)]),
        ('a test case with a brace in its name', {'tests/a.cpp': 'TEST_CASE("{ a brace") {\n' + LONG_BODY + '\n}\n'},
         [('tests/a.cpp', 1)]),
        ('the second of two', {'common/a.cpp': 'int f() { return 1; }\n\ntemplate <typename T>\nT g(T t = {}) noexcept {\n' +
                               LONG_BODY + '}\n'}, [('common/a.cpp', 3)]),
        ('what is allowed', {'common/a.cpp': 'void f() {\n' + LONG_BODY + '}\nvoid g() {\n' + LONG_BODY + '}\n',
                             'common/b.h': 'class A {\n' + ' int a_;\n' * 80 + '};\n'}, []),
    ],
    'top_level': [
        ('one more directory', {'scripts/a.sh': '', 'common/a.h': ''}, [('scripts', 1)]),
        ('what is allowed', {'README.md': '', '.ci/run': '', 'build-x/a': '', '.gitignore': '/build*/\n'}, []),
    ],
    'capture_all': [
        ('alone', {'worker/a.cpp': 'auto f =\n    [=] { return 1; };\n'}, [('worker/a.cpp', 2)]),
        ('with another', {'tests/a.cpp': 'auto f = [ =, &b]() {};\n'}, [('tests/a.cpp', 1)]),
        ('what is allowed', {'worker/a.cpp': 'auto f = [this, x] {}; // [=]\nconst char* s = "[=]";\na[i] = 2;\n'}, []),
    ],
    'std_function': [
        ('in the worker', {'worker/loop/a.h': '#pragma once\nstd::function<void()> f;\n'}, [('worker/loop/a.h', 2)]),
        ('what is allowed', {'master/a.cpp': 'std::function<void()> f;\n'}, []),
    ],
    'std_include': [
        ('what another header brings', {'common/a.h': '#include <map>\n#include "common/b.h"\nstd::vector<int> f();\n',
                                        'common/b.h': '#include <vector>\n'}, [('common/a.h', 3)]),
        ('a name that nobody knows', {'common/a.h': '\nusing B = std::barrier<>;\n'}, [('common/a.h', 2)]),
        ('what is allowed', {'common/a.h': '#include <string>\n// std::vector\nstd::size_t f(const std::string&);\n',
                             'common/a.cpp': 'std::vector<int> v;\n'}, []),
    ],
    'pragma_once': [
        ('missing', {'common/a.h': '/// #pragma once\nint x;\n'}, [('common/a.h', 1)]),
        ('what is allowed', {'common/a.h': '// Why.\n#pragma once\n'}, []),
    ],
}


class Planted(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix='forklift-tidy-')
        self.addCleanup(shutil.rmtree, self.root)

    def tree(self, files):
        for path, text in files.items():
            full = os.path.join(self.root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, 'w', encoding='utf-8') as file:
                file.write(text)
        return rules.Tree(self.root)

    def test_every_rule_has_a_case_that_fails_and_one_that_passes(self):
        for rule in rules.RULES:
            outcomes = {bool(expected) for _, _, expected in CASES.get(rule.__name__, [])}
            self.assertEqual(outcomes, {True, False}, rule.__name__)

    def test_rules_find_what_is_planted(self):
        for rule in rules.RULES:
            for name, files, expected in CASES[rule.__name__]:
                with self.subTest(rule=rule.__name__, case=name):
                    shutil.rmtree(self.root)
                    found = [(finding.path, finding.line) for finding in rule(self.tree(files))]
                    self.assertEqual(found, expected)

    def test_a_header_that_needs_another_does_not_compile_alone(self):
        tree = self.tree({'common/needy.h': '#pragma once\nB x();\n',
                          'common/unguarded.h': 'struct A {};\n',
                          'common/whole.h': '#pragma once\n#include <string>\n#include "common/b.h"\nstd::string x(B);\n',
                          'common/b.h': '#pragma once\nstruct B {};\n'})
        found = sorted(finding.path for finding in tidy.check_headers(tree, COMPILER, []))
        self.assertEqual(found, ['common/needy.h', 'common/unguarded.h'])

    def test_clang_format_is_asked(self):
        program = shutil.which('clang-format-14')
        if not program:
            self.skipTest('no clang-format 14')
        tree = self.tree({'common/bad.h': '#pragma once\nint   x ;\n', 'common/good.h': '#pragma once\nint x;\n',
                          '.clang-format': 'BasedOnStyle: Google\n'})
        found = [(finding.path, finding.line) for finding in tidy.check_format(tree, program)]
        self.assertEqual(found, [('common/bad.h', 2)])

    def test_functions_are_measured_from_head_to_closing_brace(self):
        text = ('namespace n {\nstruct S {\n  S() : a_{1} {}\n  int a_;\n};\n'
                'static int k[] = {1, 2};\n'
                'int f(int x) {\n  auto g = [&] { return x; };\n  return g();\n}\n}\n')
        self.assertEqual([(first, last) for first, last, _ in functions(text)], [(3, 3), (7, 10)])


if __name__ == '__main__':
    unittest.main()
