"""Choose the highest stable version within an npm version range.

usage: semver.py RANGE [NODE_VERSION] < versions

Each input line is VERSION, or VERSION, a tab and the range of Node.js versions it supports; with NODE_VERSION, lines
that do not support it are left out. Exit status 1: nothing matches; 2: RANGE is not a range.
Prereleases are never chosen, so they matter only as bounds: a version is (major, minor, patch, 1), a prerelease ends in 0.
"""

import re
import sys

NUMBER = r"(?:0|[1-9]\d{0,15})"
PART = rf"({NUMBER}|[xX*])"
TAGS = r"(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
PARTIAL = rf"[v=\s]*{PART}(?:\.{PART}(?:\.{PART}{TAGS})?)?"
VERSION = re.compile(rf"v?({NUMBER})\.({NUMBER})\.({NUMBER})", re.ASCII)
HYPHEN = re.compile(rf"\s*({PARTIAL})\s+-\s+({PARTIAL})\s*", re.ASCII)
COMPARATOR = re.compile(rf"(\^|~>?|[<>]?=?)\s*{PARTIAL}", re.ASCII)
GLUE = re.compile(rf"(^|\s)(~>?|\^|[<>]=?|=)\s+(?=[v=\s]*[0-9xX*])", re.ASCII)

ANY = ((0, 0, 0, 0), None)
NONE = ((0, 0, 0, 0), (0, 0, 0, 0))


def parse_version(text):
    match = VERSION.fullmatch(text.strip())
    return match and (*map(int, match.groups()), 1)


def parse_partial(groups):
    """Return the leading numbers and whether a prerelease follows them; `1.x.3` means `1`."""
    numbers = []
    for group in groups[:3]:
        if group is None or group in "xX*":
            return numbers, False
        numbers.append(int(group))
        if numbers[-1] > 2**53 - 1:
            raise ValueError(group)
    return numbers, groups[3] is not None


def lowest(numbers, prerelease=False):
    return (*(numbers + [0, 0, 0])[:3], 0 if prerelease else 1)


def above(numbers):
    """The first version after all that begin with these numbers."""
    return (*([*numbers[:-1], numbers[-1] + 1] + [0, 0])[:3], 0)


def after(version):
    return (*version[:3], version[3] + 1)


def caret(numbers):
    """The leading numbers that a caret holds fixed: up to the first that is not zero."""
    held = 1
    while held < len(numbers) and numbers[held - 1] == 0:
        held += 1
    return numbers[:held]


def comparator(text):
    """Return a half-open interval (low, high); high None has no end."""
    match = COMPARATOR.fullmatch(text)
    if not match:
        raise ValueError(text)
    operator = match.group(1)
    numbers, prerelease = parse_partial(match.groups()[1:])
    low = lowest(numbers, prerelease)
    if operator not in ("^", "~", "~>") and any(group and group not in "xX*" for group in match.groups()[1 + len(numbers):4]):
        raise ValueError(text)  # a number after an x
    if not numbers:
        return NONE if operator in ("<", ">") else ANY
    if operator == "^":
        return low, above(caret(numbers))
    if operator.startswith("~"):
        return low, above(numbers[:2])
    if operator == ">=":
        return low, None
    if operator == "<":
        return ANY[0], low
    end = above(numbers) if len(numbers) < 3 else after(low)
    if operator == ">":
        return end, None
    if operator == "<=":
        return ANY[0], end
    return low, end


def hyphen(match):
    groups = match.groups()
    low, low_prerelease = parse_partial(groups[1:5])
    high, high_prerelease = parse_partial(groups[6:10])
    start = lowest(low, low_prerelease)
    if not high:
        return [(start, None)]
    return [(start, after(lowest(high, high_prerelease)) if len(high) == 3 else above(high))]


def parse_range(text):
    """Return alternatives, each a list of intervals that must all hold."""
    alternatives = []
    for part in text.split("||"):
        match = HYPHEN.fullmatch(part)
        words = GLUE.sub(r"\1\2", part.strip()).split()
        alternatives.append(hyphen(match) if match else [comparator(word) for word in words] or [ANY])
    return alternatives


def satisfies(version, alternatives):
    return any(all(low <= version and (high is None or version < high) for low, high in each) for each in alternatives)


def best(lines, wanted, node=None):
    """Return the highest version of `lines` within `wanted` that runs on `node`, or None."""
    candidates = []
    for line in lines:
        text, _, engines = line.rstrip("\n").partition("\t")
        version = parse_version(text)
        if version and satisfies(version, wanted) and (node is None or satisfies(node, parse_range(engines))):
            candidates.append(version)
    return ".".join(map(str, max(candidates)[:3])) if candidates else None


def main(arguments):
    try:
        wanted = parse_range(arguments[0])
    except ValueError:
        return 2
    node = parse_version(arguments[1]) if len(arguments) > 1 else None
    found = best(sys.stdin, wanted, node)
    if found:
        print(found)
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
