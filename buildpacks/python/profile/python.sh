export PATH="$HOME/.heroku/python/bin:$PATH"
export PYTHONUNBUFFERED="${PYTHONUNBUFFERED:-1}"
export PYTHONPATH="${PYTHONPATH:-$HOME}"
export LANG="${LANG:-C.UTF-8}"
# Behind a router: gunicorn logs requests, and believes the router about the scheme.
export GUNICORN_CMD_ARGS="${GUNICORN_CMD_ARGS:---access-logfile -}"
export FORWARDED_ALLOW_IPS="${FORWARDED_ALLOW_IPS:-*}"

if [[ ! -x $HOME/.heroku/python/bin/python ]]; then
  echo "This image's base lacks $(readlink -m "$HOME/.heroku/python/bin/python"), which the app was built with." >&2
fi
