#!/usr/bin/env python3
"""The architecture and the style as a test: prints file:line: rule: what is wrong, and fails when there is any.

tidy.py                      the rules of rules.py over the whole tree
tidy.py --headers ...        every header compiles alone
tidy.py --format PROGRAM     every C and C++ file is as clang-format would have it
"""

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import rules

C_ROOM = 'bench/floor/'  # the floor programs are C
CPP = ['-std=c++20']


def check_rules(tree):
    return [finding for rule in rules.RULES for finding in rule(tree)]


# Most of the time goes to these. They are compiled once; that each header includes what it needs of them is a rule.
STANDARD = ('algorithm', 'array', 'atomic', 'chrono', 'cstdint', 'cstring', 'deque', 'fstream', 'functional', 'map', 'memory', 'mutex',
            'optional', 'random', 'span', 'sstream', 'string', 'string_view', 'thread', 'utility', 'variant', 'vector')


def precompile(directory, compiler):
    """The standard headers, to be included before all others."""
    path = os.path.join(directory, 'standard.h')
    with open(path, 'w', encoding='ascii') as file:
        file.writelines(f'#include <{name}>\n' for name in STANDARD)
    suffix = '.pch' if 'clang' in os.path.basename(compiler) else '.gch'
    subprocess.run([compiler, *CPP, '-x', 'c++-header', path, '-o', path + suffix], check=True)
    return path


def compile_alone(tree, path, compiler, isystem, standard):
    """One header, twice in one unit: it brings what it needs and guards itself."""
    language = ['-x', 'c', '-std=c17', '-D_GNU_SOURCE'] if path.startswith(C_ROOM) else [*CPP, '-include', standard, '-x', 'c++']
    command = [compiler, '-fsyntax-only', '-Wall', '-Wextra', '-DLLHTTP_STRICT_MODE=1', '-DFORKLIFT_VERSION=""',
               '-I', tree.root, '-I', os.path.join(tree.root, 'tests')]
    for directory in isystem:
        command += ['-isystem', directory]
    unit = f'#include "{path}"\n' * 2
    done = subprocess.run(command + language + ['-'], input=unit, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    error = next((line for line in done.stderr.splitlines() if 'error:' in line), done.stderr.strip())
    return [rules.Finding(path, 1, 'header_alone', error)]


def check_headers(tree, compiler, isystem):
    paths = list(tree.sources(suffixes=('.h',)))
    with tempfile.TemporaryDirectory(prefix='forklift-tidy-') as directory, ThreadPoolExecutor(os.cpu_count()) as pool:
        standard = precompile(directory, compiler)
        results = list(pool.map(lambda path: compile_alone(tree, path, compiler, isystem, standard), paths))
    return [finding for result in results for finding in result]


def check_format(tree, program):
    paths = list(tree.sources(suffixes=('.h', '.cpp', '.c')))
    done = subprocess.run([program, '--dry-run', '--style=file'] + paths, cwd=tree.root, capture_output=True, text=True,
                          check=False)
    first_lines = {}
    for line in done.stderr.splitlines():
        parts = line.split(':', 3)
        if len(parts) == 4 and parts[1].isdigit():
            first_lines.setdefault(parts[0], int(parts[1]))
    findings = [rules.Finding(path, line, 'format', f'clang-format -i {path} mends it')
                for path, line in first_lines.items()]
    if done.returncode != 0 and not findings:
        findings.append(rules.Finding(program, 0, 'format', done.stderr.strip()))
    return findings


def report(findings):
    for finding in findings:
        print(f'{finding.path}:{finding.line}: {finding.rule}: {finding.message}')
    print(f'{len(findings)} findings' if findings else 'tidy')
    return 1 if findings else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--root', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
    parser.add_argument('--headers', action='store_true')
    parser.add_argument('--compiler', default='c++')
    parser.add_argument('--isystem', action='append', default=[])
    parser.add_argument('--format', metavar='PROGRAM')
    arguments = parser.parse_args()
    tree = rules.Tree(os.path.abspath(arguments.root))
    if arguments.headers:
        return report(check_headers(tree, arguments.compiler, arguments.isystem))
    if arguments.format:
        return report(check_format(tree, arguments.format))
    return report(check_rules(tree))


if __name__ == '__main__':
    sys.exit(main())
