# Downloads, none of which is used before its digest has been compared.

fetch() { # URL FILE
  curl --fail --silent --show-error --location --retry 3 \
    --connect-timeout "${CURL_CONNECT_TIMEOUT:-30}" --max-time "${CURL_TIMEOUT:-180}" \
    --output "$2" "$1"
}

fetch_or_fail() { # URL FILE
  fetch "$@" || fail "A download failed: $(without_password "$1")" \
    "curl's message is above." "Check the network and try again."
}

without_password() { sed -E 's#//[^/@]*@#//#' <<< "$1"; }

# "sha512-BASE64 ..." as npm registries write it; other algorithms are too weak to trust alone.
integrity_to_hex() {
  local part
  for part in $1; do
    if [[ $part == sha512-* ]]; then
      part=${part%%\?*}
      base64 -d <<< "${part#sha512-}" | od -An -v -tx1 | tr -d ' \n'
      return
    fi
  done
}

verify() { # FILE sha256|sha512 HEX
  local found
  found=$("${2}sum" < "$1")
  if [[ -z $3 || ${found%% *} != "$3" ]]; then
    fail "A download did not have the bytes its publisher names: ${1##*/}" \
      "Expected $2 ${3:-(none given)}, received ${found%% *}." \
      "Try again; if it repeats, a proxy or mirror is changing downloads."
  fi
}
