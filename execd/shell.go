package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// The names of the links by which the program is a shell.
var shellNames = []string{"sh", "bash"}

// runShell replaces itself by the shell of the run image, with the same arguments: `-c`, a script, a
// name, and those of the user. It returns only an exit code.
//
// A run image such as distroless has no shell. A script that only starts one program, with arguments
// and variables, needs none: this program starts it. For any other script it prints what is missing.
func runShell(arguments []string) int {
	name := filepath.Base(arguments[0])
	shell := firstFile([]string{"/bin/" + name, "/usr/bin/" + name, "/busybox/" + name})
	if shell != "" {
		err := syscall.Exec(shell, append([]string{shell}, arguments[1:]...), os.Environ())
		fmt.Fprintf(os.Stderr, "Python: %s cannot start: %v\n", shell, err)
		return notExecutable
	}
	script, rest := arguments[2], arguments[min(4, len(arguments)):]
	started, ok := parseCommand(script, rest, os.LookupEnv)
	if !ok {
		fmt.Fprint(os.Stderr, withoutShell(name, script))
		return notFound
	}
	environment := withVariables(os.Environ(), started.variables)
	path, err := exec.LookPath(started.words[0])
	if err == nil {
		err = syscall.Exec(path, started.words, environment)
	}
	fmt.Fprintf(os.Stderr, "Python: %s cannot start: %v\n", started.words[0], cause(err))
	return notFound
}

// withVariables returns environment with variables, each NAME=value, in place of those of the same names:
// of two with one name, programs take the first.
func withVariables(environment, variables []string) []string {
	for _, variable := range variables {
		name, _, _ := strings.Cut(variable, "=")
		environment = slices.DeleteFunc(environment, func(each string) bool { return strings.HasPrefix(each, name+"=") })
		environment = append(environment, variable)
	}
	return environment
}

func withoutShell(name, script string) string {
	return fmt.Sprintf("Python: the run image has no /bin/%s, which this command needs:\n"+
		"  %s\n"+
		"Without a shell a command is one program with arguments, variables such as $PORT, and quotes.\n"+
		"  - Write the command like that, or put its steps into a Python program.\n"+
		"  - Or use a run image that has a shell.\n", name, script)
}

// invokedAsShell: this program was started as a shell, to run a script.
func invokedAsShell(arguments []string) bool {
	return len(arguments) > 2 && arguments[1] == "-c" && slices.Contains(shellNames, filepath.Base(arguments[0]))
}
