"""docs/supervision.md names a test for each of the forty failures: they exist, and what it says of them is true."""

import glob
import os
import re

TOP = os.path.join(os.path.dirname(__file__), "..", "..")
RESULTS = {"holds", "fails", "later", "none"}


def text_of(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as file:
        return file.read()


def table():
    rows = []
    for line in text_of("docs", "supervision.md").splitlines():
        if re.match(r"\| \d+ \|", line):
            number, failure, result, tests = [cell.strip() for cell in line.strip("|").split(" | ", 3)]
            rows.append((int(number), failure, result, re.findall(r"`([^`]*(?:\.py::|_test\.cpp: |^sim\.)[^`]*)`", tests), tests))
    return rows


def expects_failure(source, name):
    """The decorators right above the function have an xfail."""
    above = source[: source.index(f"def {name}(")].rsplit("\n\n\n", 1)[-1]
    return "xfail" in above


def problem(test, result):
    """What is wrong with naming this test, or None."""
    if ".py::" in test:
        file, name = test.split("::")
        path = os.path.join(TOP, "tests", "integration", file)
        if not os.path.exists(path):
            return f"{file} does not exist"
        source = text_of("tests", "integration", file)
        if not re.search(rf"^def {re.escape(name)}\(", source, re.M):
            return f"{file} has no {name}"
        if expects_failure(source, name) and result != "fails":
            return f"{name} is expected to fail, the table says that it {result}"
        return None
    if "_test.cpp: " in test:
        file, sentence = test.split(": ", 1)
        paths = glob.glob(os.path.join(TOP, "tests", "unit", "*", file))
        found = any(f'TEST_CASE("{sentence}"' in text_of(path) for path in paths)
        return None if found else f"{file} has no {sentence!r}"
    return None if f"add_test(NAME {test} " in text_of("tests", "CMakeLists.txt") else f"ctest has no {test}"


def test_the_table_has_a_row_for_each_of_the_forty_failures():
    assert [row[0] for row in table()] == list(range(1, 41))


def test_each_row_has_a_result_and_a_test_or_a_reason():
    for number, _, result, tests, cell in table():
        assert result in RESULTS, (number, result)
        assert bool(tests) == (result in ("holds", "fails")), (number, result, tests)
        assert cell, number


def test_every_test_that_the_table_names_exists():
    wrong = [(number, problem(test, result)) for number, _, result, tests, _ in table() for test in tests]
    assert [item for item in wrong if item[1]] == []


def test_what_the_table_calls_failing_is_expected_to_fail():
    for number, _, result, tests, _ in table():
        sources = {test: text_of("tests", "integration", test.split("::")[0]) for test in tests if ".py::" in test}
        expected = any(expects_failure(source, test.split("::")[1]) for test, source in sources.items())
        assert expected == (result == "fails"), number


def test_a_test_that_does_not_exist_is_noticed():
    assert problem("test_master.py::test_nothing", "holds")
    assert problem("test_nowhere.py::test_nothing", "holds")
    assert problem("fleet_test.cpp: nothing at all", "holds")
    assert problem("sim.nothing", "holds")
