# Sourced by detect and build, which set $bin and $phase. Starts the interpreter that is bundled with
# the buildpack or, in a source checkout, the one of its .venv.
#   -I  ignores PYTHON* variables, and modules in the app (its cwd) and in the user's home
#   -B  writes no bytecode; -S  does not import `site`: start.py adds the two paths that are needed
#   -X utf8  texts are UTF-8 with every LANG
# exec: signals reach Python, and its exit code is that of the phase.
for python in "$bin/../python/bin/python3" "$bin/../.venv/bin/python3"; do
    [ -x "$python" ] && exec "$python" -I -B -S -X utf8 "$bin/start.py" "$phase" "$@"
done
echo "This is a source checkout of the Python buildpack without its .venv: run 'make venv' in it," >&2
echo "or use a package made with 'make package'. (Looked in: $bin/..)" >&2
exit 1
