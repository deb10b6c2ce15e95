"""Unpack a Go toolchain that came as a module, after comparing its hash with the checksum database's.

usage: module.py ZIP MODULE@VERSION DATABASE DIRECTORY
"""

import base64
import hashlib
import pathlib
import sys
import urllib.error
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import sumdb  # noqa: E402


def module_hash(archive):
    """The h1: hash: SHA-256 over the sorted lines of sha256sum for the files within."""
    summary = hashlib.sha256()
    for name in sorted(archive.namelist()):
        summary.update(f"{hashlib.sha256(archive.read(name)).hexdigest()}  {name}\n".encode())
    return "h1:" + base64.b64encode(summary.digest()).decode()


def unpack(archive, prefix, directory):
    """Write the files; module zips have no modes, and go.mod files are called _go.mod so that they can be inside."""
    for name in archive.namelist():
        path = pathlib.PurePosixPath(name.removeprefix(prefix))
        if not name.startswith(prefix) or ".." in path.parts:
            raise sumdb.Unproven(f"the archive has a file outside its module: {name}")
        if path.name == "_go.mod":
            path = path.with_name("go.mod")
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(archive.read(name))
        executable = path.parts[0] == "bin" or path.parts[:2] == ("pkg", "tool")
        target.chmod(0o755 if executable else 0o644)


def main(file, module, database, directory):
    path, _, version = module.partition("@")
    expected = sumdb.lookup(database, path, version)
    with zipfile.ZipFile(file) as archive:
        found = module_hash(archive)
        if found != expected:
            raise sumdb.Unproven(f"{module}: expected {expected}, received {found}")
        unpack(archive, f"{module}/", pathlib.Path(directory))
    print(f"verified with the checksum database: {found}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (sumdb.Unproven, urllib.error.URLError, zipfile.BadZipFile, ValueError) as error:
        sys.exit(str(error))
