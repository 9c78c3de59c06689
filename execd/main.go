// Command defaults gives the processes of an image what depends on the container they run in.
//
// The launcher starts it before each process and takes variables from it, as TOML on file
// descriptor 3: https://github.com/buildpacks/spec/blob/main/buildpack.md#execd
//
// A Python program would take 20 ms, a shell script a shell that run images need not have.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

func main() {
	// Whatever happens here, the app starts: a failure would keep it from that.
	defer func() { _ = recover() }()
	container := readLimits(os.DirFS("/"), runtime.NumCPU())
	if said := line(os.LookupEnv, container); said != "" {
		fmt.Fprintln(os.Stderr, "Python:", said)
	}
	authorities, trouble := trusted(os.LookupEnv, bundles, places(os.LookupEnv))
	if trouble != "" {
		fmt.Fprintln(os.Stderr, "Python:", trouble)
	}
	found := append(settings(os.LookupEnv, container), authorities...)
	// Nobody reads it where it is started by hand.
	_, _ = os.NewFile(3, "settings").WriteString(document(found))
}

// document returns settings as TOML. Their names are bare keys and their values plain letters.
func document(found []setting) string {
	var toml strings.Builder
	for _, each := range found {
		fmt.Fprintf(&toml, "%s = %q\n", each.name, each.value)
	}
	return toml.String()
}
