# Read by detect and build, which set $bin and $phase: hands over to the interpreter that travels
# with the buildpack or, in a source checkout, to the checkout's own.
#   -I  neither PYTHON* variables nor files of the app (its cwd) or of the user's home count
#   -B  nothing is written beside the modules; -S  no `site`: start.py adds the two paths we need
#   -X utf8  whatever LANG says, texts are UTF-8
# exec: signals reach Python, and its exit code is ours.
for python in "$bin/../python/bin/python3" "$bin/../.venv/bin/python3"; do
    [ -x "$python" ] && exec "$python" -I -B -S -X utf8 "$bin/start.py" "$phase" "$@"
done
echo "This is a source checkout of the Python buildpack without its .venv: run 'make venv' in it," >&2
echo "or use a package made with 'make package'. (Looked in: $bin/..)" >&2
exit 1
