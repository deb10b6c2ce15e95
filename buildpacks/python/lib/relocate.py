"""Replace the build's directory by the run-time one in files that installers write paths into.

usage: relocate.py SITE_PACKAGES BUILD_DIR RUN_DIR

Editable installs keep paths in .pth, .egg-link and __editable__ files, local ones in direct_url.json. The hashes and
sizes in RECORD follow.
"""

import base64
import csv
import hashlib
import io
import pathlib
import sys

PATTERNS = ("*.pth", "*.egg-link", "__editable__*.py", "*.dist-info/direct_url.json")


def relocate(path, old, new):
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    if old not in text:
        return False
    path.write_text(text.replace(old, new), encoding="utf-8", errors="surrogateescape")
    return True


def entry(site, name):
    content = (site / name).read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return [name, f"sha256={digest}", str(len(content))]


def update_record(record, site, changed):
    with record.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if not any(row and row[0] in changed for row in rows):
        return
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(
        entry(site, row[0]) if row and row[0] in changed else row for row in rows
    )
    record.write_text(text.getvalue(), encoding="utf-8")


def main(site, old, new):
    site = pathlib.Path(site)
    files = [path for pattern in PATTERNS for path in site.glob(pattern)]
    changed = {str(path.relative_to(site)) for path in files if relocate(path, old, new)}
    for record in site.glob("*.dist-info/RECORD"):
        update_record(record, site, changed)


if __name__ == "__main__":
    main(*sys.argv[1:])
