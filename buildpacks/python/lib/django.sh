# Django apps have their static files collected, unless DISABLE_COLLECTSTATIC is set.

collect_static_files() {
  local manage
  manage=$(find . -maxdepth 3 -name manage.py -type f -not -path './.heroku/*' | LC_ALL=C sort | head -n 1)
  [[ -n $manage ]] && python -c 'import django' 2> /dev/null || return 0
  heading "Collecting Django's static files"
  if [[ -n ${DISABLE_COLLECTSTATIC:-} && $DISABLE_COLLECTSTATIC != 0 ]]; then
    detail "skipped: DISABLE_COLLECTSTATIC is set"
  elif { python "$manage" help collectstatic 2>&1 || true; } | grep -q "^Unknown command: 'collectstatic'"; then
    detail "skipped: django.contrib.staticfiles is not among the INSTALLED_APPS"
  else
    python "$manage" collectstatic --noinput 2>&1 | indent || fail "collectstatic stopped with an error" \
      "Django's own message is above." \
      "Make 'python $manage collectstatic --noinput' succeed, or set DISABLE_COLLECTSTATIC=1."
  fi
}
