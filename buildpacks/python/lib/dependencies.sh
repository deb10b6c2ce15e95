# pip's part.

install_requirements() {
  # --ignore-installed: pip sees the base's own packages while it works, and must not count on them.
  "$python" -m pip --python "$run_dir/.heroku/python/bin/python" \
    install --ignore-installed --no-compile --use-pep517 --requirement requirements.txt 2>&1 | indent \
    || fail "pip could not install requirements.txt" \
      "pip's own message is above." "Make 'pip install -r requirements.txt' succeed in a fresh virtual environment."
}
