"""Ask a Go checksum database for a module's hash and prove that the answer is part of the signed log.

The log is a Merkle tree as in RFC 6962, published in tiles of 256 hashes:
https://go.dev/ref/mod#checksum-database and https://research.swtch.com/tlog
"""

import base64
import functools
import hashlib
import urllib.error
import urllib.request

import ed25519

NAME = "sum.golang" + ".org"
KEY_ID, KEY = bytes.fromhex("033de0ae"), base64.b64decode("Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")[1:]
TILE_HEIGHT = 8


class Unproven(Exception):
    pass


def get(url):
    with urllib.request.urlopen(url, timeout=60) as response:
        return response.read()


def lookup(database, module, version):
    """Return the proven h1: hash of the module's zip file."""
    record_id, record, note = parse(get(f"{database}/lookup/{module}@{version}"))
    size, root = read_note(note)
    if record_id >= size or Log(database, size, record_id, leaf_hash(record)).root() != root:
        raise Unproven("the checksum database's answer is not part of its signed log")
    for line in record.decode().splitlines():
        if line.startswith(f"{module} {version} h1:"):
            return line.split(" ")[2]
    raise Unproven(f"the checksum database has no hash for {module} {version}")


def parse(answer):
    first, _, rest = answer.partition(b"\n")
    record, _, note = rest.partition(b"\n\n")
    return int(first), record + b"\n", note


def read_note(note):
    """Return the size and root hash of the log, after checking the signature over them."""
    text, _, signatures = note.rpartition(b"\n\n")
    text += b"\n"
    prefix = f"\u2014 {NAME} ".encode()
    for line in signatures.splitlines():
        if line.startswith(prefix):
            signature = base64.b64decode(line[len(prefix):])
            if signature[:4] == KEY_ID and ed25519.verify(KEY, text, signature[4:]):
                kind, size, root = text.decode().splitlines()[:3]
                if kind == "go.sum database tree":
                    return int(size), base64.b64decode(root)
    raise Unproven(f"no valid signature of {NAME} on the answer of the checksum database")


def leaf_hash(record):
    return hashlib.sha256(b"\0" + record).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Log:
    """A log of `size` records of which one, the leaf, is known; all other hashes come from tiles."""

    def __init__(self, database, size, leaf_index, leaf):
        self.database, self.size, self.leaf_index, self.leaf = database, size, leaf_index, leaf

    def root(self):
        return self.hash_of(0, self.size)

    def hash_of(self, start, end):
        """Hash the records from start to end; the known leaf is hashed upwards, so that the root depends on it."""
        width = end - start
        has_leaf = start <= self.leaf_index < end
        if width == 1 and has_leaf:
            return self.leaf
        if width & (width - 1) == 0 and not has_leaf:
            return self.stored(start, width.bit_length() - 1)
        half = 1 << ((width - 1).bit_length() - 1)
        return node_hash(self.hash_of(start, start + half), self.hash_of(start + half, end))

    def stored(self, start, level):
        """Return the hash of the 2**level records from start, out of the tile that holds it or its descendants."""
        row, height = divmod(level, TILE_HEIGHT)
        first = start >> (row * TILE_HEIGHT)
        hashes = self.tile(row, first >> TILE_HEIGHT)
        offset = first & 255
        nodes = hashes[offset:offset + (1 << height)]
        while len(nodes) > 1:
            nodes = [node_hash(*pair) for pair in zip(nodes[::2], nodes[1::2])]
        return nodes[0]

    @functools.lru_cache(maxsize=None)
    def tile(self, row, index):
        width = min((self.size >> (row * TILE_HEIGHT)) - (index << TILE_HEIGHT), 256)
        path = f"{self.database}/tile/{TILE_HEIGHT}/{row}/{tile_name(index)}"
        try:
            data = get(path if width == 256 else f"{path}.p/{width}")
        except urllib.error.URLError:
            data = get(path)
        return [data[i:i + 32] for i in range(0, width * 32, 32)]


def tile_name(index):
    """Write an index as x001/x234/067, three digits a part."""
    parts = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        parts.insert(0, f"x{index % 1000:03}")
    return "/".join(parts)
