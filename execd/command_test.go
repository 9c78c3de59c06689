package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A variable for each kind of value.
var commandVariables = []string{
	"PORT", "5000", "EMPTY", "", "TWO", "a  b", "EDGES", " c ", "TMPDIR", "/var/tmp", "QUOTE", `'"`,
}

var simpleScripts = []string{
	`exec gunicorn --bind :$PORT app:app "$@"`,
	`exec waitress-serve --port="${PORT:-8000}" app:app "$@"`,
	`exec granian --workers "${GRANIAN_WORKERS:-${WEB_CONCURRENCY:-1}}" 'app:create()' "$@"`,
	`exec celery beat --schedule "${TMPDIR:-/tmp}/celerybeat-schedule" "$@"`,
	`DEBUG=1 NAME="a b" LIST=$TWO exec flask run "$@"`,
	`python -m app`,
	`  python   x  `,
	`python "$PORT"$PORT'$PORT'\$PORT`,
	`python $TWO x$TWO$TWO y`,
	`python $EMPTY "" "$EMPTY" '' $EDGES x$EDGES$EDGES`,
	`python ${EMPTY:-x} ${EMPTY-x} ${NONE-x y} ${NONE:-} "${NONE-x y}"`,
	`python a=b "c"=d --e=$PORT -x=~ a#b a~b {} {a,b} 100% @ ! ] =`,
	`python "a\"b\\c\$d\e" a\ b \'`,
	`python "$QUOTE" $QUOTE ü`,
	`"python" -c 'import sys; print(sys.argv)' "$@"`,
	`A=1 python x=2`,
}

// A shell decides what is right, if there is one.
func TestCommandsAreThoseOfAShell(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell to compare with")
	}
	arguments := []string{"one", "two words", ""}
	for _, script := range simpleScripts {
		found, ok := parseCommand(script, arguments, variables(commandVariables...))
		if !ok {
			t.Errorf("%s: not simple", script)
			continue
		}
		// The program prints its arguments; the name of the program is the first one.
		program := t.TempDir() + "/" + found.words[0]
		text := "#!" + shell + "\nfor x in \"${0##*/}\" \"$@\" \"$DEBUG|$NAME|$LIST|$A\"; do printf '%s\\0' \"$x\"; done\n"
		if err := os.WriteFile(program, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		command := exec.Command(shell, append([]string{"-c", script, "sh"}, arguments...)...)
		command.Env = []string{"PATH=" + strings.TrimSuffix(program, "/"+found.words[0])}
		for i := 0; i < len(commandVariables); i += 2 {
			command.Env = append(command.Env, commandVariables[i]+"="+commandVariables[i+1])
		}
		output, err := command.Output()
		if err != nil {
			t.Errorf("%s: %v", script, err)
		}
		set := map[string]string{}
		for _, each := range found.variables {
			name, value, _ := strings.Cut(each, "=")
			set[name] = value
		}
		wanted := strings.Split(strings.TrimSuffix(string(output), "\x00"), "\x00")
		got := append(slices.Clone(found.words), set["DEBUG"]+"|"+set["NAME"]+"|"+set["LIST"]+"|"+set["A"])
		if !slices.Equal(got, wanted) {
			t.Errorf("%s:\n got   %q\n shell %q", script, got, wanted)
		}
	}
}

func TestScriptsThatNeedAShellAreNotSimple(t *testing.T) {
	for _, script := range []string{
		"", "   ", "exec", "A=1", `"$@"`, "a; b", "a && exec b", "a || b", "a | b", "a &", "(a)", "a > log", "a < in",
		"cd src", "export A=1", "exec cd", "if true", "! a", "{ a", ": x", ". env", "[[ x", "a `b`", "a $(b)", `a "$(b)"`,
		`a "` + "`b`" + `"`, "a *.py", "a x?", "a [x]", "a # x", "a ~/x", "~/a", "a $1", "a $$", "a $?", "a $", `a "$*"`, "a $@",
		`a "x$@"`, `a "$@"x`, "a ${A%x}", "a ${A:?}", "a ${A:+x}", "a ${#A}", "a ${A", "a ${A:-x", `a ${A:-"x"}`, "a 'x", `a "x`,
		`a \`, "a\nb", "a $'x'", `a $"x"`, "exec $EMPTY", "$EMPTY",
	} {
		if found, ok := parseCommand(script, nil, variables(commandVariables...)); ok {
			t.Errorf("%q: %q", script, found)
		}
	}
}

func TestMessageNamesTheShellAndTheCommand(t *testing.T) {
	text := withoutShell("sh", "a; b")
	if !strings.Contains(text, "no /bin/sh") || !strings.Contains(text, "\n  a; b\n") {
		t.Error(text)
	}
}

func TestShellIsRecognizedByItsName(t *testing.T) {
	for _, each := range []struct {
		arguments []string
		wanted    bool
	}{
		{[]string{"/layers/x/defaults/sh", "-c", "a", "sh"}, true},
		{[]string{"/layers/x/defaults/bash", "-c", "a"}, true},
		{[]string{"/layers/x/defaults/sh", "-c"}, false},
		{[]string{"/layers/x/defaults/sh", "a", "b"}, false},
		{[]string{"/layers/x/defaults/exec.d/defaults", "-c", "a"}, false},
	} {
		if invokedAsShell(each.arguments) != each.wanted {
			t.Errorf("%q", each.arguments)
		}
	}
}

func TestVariablesOfACommandReplaceThoseOfTheEnvironment(t *testing.T) {
	environment := []string{"PORT=8080", "PORTS=1", "PATH=/bin"}

	found := withVariables(environment, []string{"PORT=1", "DEBUG=", "PORT=9000"})

	if expected := []string{"PORTS=1", "PATH=/bin", "DEBUG=", "PORT=9000"}; !slices.Equal(found, expected) {
		t.Errorf("%q instead of %q", found, expected)
	}
}
