package main

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

const (
	concurrency = "WEB_CONCURRENCY"
	forwarded   = "FORWARDED_ALLOW_IPS"
	// Whether to print the settings. Layer `defaults` sets it for processes of type web.
	log = "BPL_PYTHON_LOG"

	// The memory that a worker is assumed to need.
	workerBytes = 256 << 20
)

// setting is a variable for the app's process.
type setting struct{ name, value string }

// lookup returns the value of a variable, and whether it is set.
type lookup func(name string) (string, bool)

// settings returns only variables that the user did not set: those of an exec.d program win over the
// user's own.
func settings(user lookup, container limits) []setting {
	found := []setting{}
	// An empty number would stop gunicorn and uvicorn.
	if !has(user, concurrency) && container.memory > 0 {
		found = append(found, setting{concurrency, strconv.Itoa(workers(container))})
	}
	// Empty means that no proxy is trusted, which is a choice.
	if _, given := user(forwarded); !given {
		found = append(found, setting{forwarded, "*"})
	}
	return found
}

// workers returns how many processes of a server the container has room for: one for each 256 MB,
// at most two for each CPU and one more, at least one.
func workers(container limits) int {
	byMemory := container.memory / workerBytes
	byCPUs := uint64(math.Max(0, 2*container.cpus)) + 1
	return int(max(1, min(byMemory, byCPUs)))
}

// line returns the line to print; "" if it is not requested. single: one worker is this layer's default
// for the process.
func line(user lookup, container limits, single bool) string {
	if !says(user) {
		return ""
	}
	given, _ := user(concurrency)
	given = strings.TrimSpace(given)
	why := "as set"
	if single && given == "1" {
		why = "since the program may start uvicorn itself"
	}
	room := fmt.Sprintf("%d MB of memory and %s", container.memory>>20, counted(container.cpus))
	switch {
	case container.memory == 0 && given == "":
		return concurrency + " is not set: the container has no memory limit to derive it from"
	case container.memory == 0:
		return fmt.Sprintf("%s=%s, %s", concurrency, given, why)
	case given != "":
		return fmt.Sprintf("%s=%s, %s; %s would give %d", concurrency, given, why, room, workers(container))
	default:
		return fmt.Sprintf("%s=%d for %s", concurrency, workers(container), room)
	}
}

// hasOneWorker: the layer of this program has the default for processes of type web, whose line it is.
func hasOneWorker(program string) bool {
	_, err := os.Stat(besideLayer(program, "env.launch/web/"+concurrency+".default"))
	return err == nil
}

func says(user lookup) bool {
	value, _ := user(log)
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "", "0", "false", "no", "off":
		return false
	}
	return true
}

func has(user lookup, name string) bool {
	value, _ := user(name)
	return strings.TrimSpace(value) != ""
}

func counted(cpus float64) string {
	// At most two decimals, none where they are zero.
	text := strconv.FormatFloat(math.Round(cpus*100)/100, 'f', -1, 64)
	if text == "1" {
		return "1 CPU"
	}
	return text + " CPUs"
}
