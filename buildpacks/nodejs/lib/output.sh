# What the user reads: headings, details, and errors that say what, why and how to fix it.

heading() { printf -- '-----> %s\n' "$*"; }

detail() { printf '       %s\n' "$*"; }

indent() { sed -u 's/^/       /'; }

warn() { printf ' !     %s\n' "$@" >&2; }

# fail WHAT WHY... : each argument is one line; the last ones say how to fix it.
fail() {
  printf ' !\n' >&2
  warn "$@"
  printf ' !\n' >&2
  exit 1
}
