// Command defaults gives the processes of an image what depends on the container they run in.
//
// The launcher starts it before each process and takes variables from it, as TOML on file
// descriptor 3: https://github.com/buildpacks/spec/blob/main/buildpack.md#execd
//
// By the name init it runs a process instead, as process 1 that sends signals on: see runInit. By the
// name health it checks the app: see runHealth. By the names sh and bash it runs a script where the
// image has no shell: see runShell. One program is all, so that an image has the Go runtime once.
//
// A Python program would take 20 ms, a shell script a shell that run images need not have.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"unicode/utf8"
)

func main() {
	if invokedAsInit(os.Args) {
		os.Exit(runInit(os.Args[1:]))
	}
	if invokedAsShell(os.Args) {
		os.Exit(runShell(os.Args))
	}
	if invokedAsHealth(os.Args) {
		os.Exit(runHealth(os.Args[1:], os.LookupEnv, healthFile()))
	}
	// Whatever happens here, the app starts: a failure would keep it from that.
	defer func() { _ = recover() }()
	container := readLimits(os.DirFS("/"), runtime.NumCPU())
	if said := line(os.LookupEnv, container, hasOneWorker(os.Args[0])); said != "" {
		fmt.Fprintln(os.Stderr, "Python:", said)
	}
	authorities, trouble := trusted(os.LookupEnv, bundles, places(os.LookupEnv))
	if trouble != "" {
		fmt.Fprintln(os.Stderr, "Python:", trouble)
	}
	own := accountOf(os.DirFS("/"), os.Getuid())
	writable, said := writablePlaces(os.LookupEnv, "/", own)
	packages, about := packageDirectories(
		os.LookupEnv, besideLayer(os.Args[0], "directories"), pathsOf(os.LookupEnv, own),
	)
	for _, each := range []string{said, about} {
		if each != "" && says(os.LookupEnv) {
			fmt.Fprintln(os.Stderr, "Python:", each)
		}
	}
	found := append(settings(os.LookupEnv, container), authorities...)
	found = append(found, writable...)
	found = append(found, packages...)
	found = append(found, libraries(os.LookupEnv, os.Args[0])...)
	hosts := addresses(os.LookupEnv, os.DirFS("/"))
	found = append(found, hosts...)
	host := hostOf(os.LookupEnv, hosts)
	found = append(found, listening(os.LookupEnv, besideLayer(os.Args[0], "variables"), host)...)
	// Its output has no reader if it is started by hand.
	_, _ = os.NewFile(3, "settings").WriteString(document(found))
}

// document returns settings as TOML, leaving out what no TOML can hold: the launcher takes a
// document that it cannot read for a failure. Their names are bare keys.
func document(found []setting) string {
	var toml strings.Builder
	for _, each := range found {
		if utf8.ValidString(each.value) {
			fmt.Fprintf(&toml, "%s = \"%s\"\n", each.name, escaped(each.value))
		}
	}
	return toml.String()
}

// escaped returns text as a basic string has it: https://toml.io/en/v1.0.0#string
func escaped(text string) string {
	var found strings.Builder
	for _, letter := range text {
		switch {
		case letter == '"' || letter == '\\':
			found.WriteRune('\\')
			found.WriteRune(letter)
		case letter < ' ' || letter == 0x7f:
			fmt.Fprintf(&found, `\u%04X`, letter)
		default:
			found.WriteRune(letter)
		}
	}
	return found.String()
}
