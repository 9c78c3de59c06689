package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	port = "PORT"
	// Stands for an option of gunicorn, which binds 0.0.0.0 and PORT without it.
	bind = "$BIND"
)

// listening returns the variables by which installed servers listen on all addresses at PORT, unless
// the user set them.
//
// file has one NAME=VALUE per line; the build phase writes it (launch/listening.py). Without a PORT, a
// server has its own. host replaces all addresses of IPv4, unless it is empty.
func listening(user lookup, file, host string) (found []setting) {
	content, _ := os.ReadFile(file)
	number, _ := user(port)
	for line := range strings.Lines(string(content)) {
		name, value, valid := strings.Cut(strings.TrimSpace(line), "=")
		if value == bind {
			found = append(found, binding(user, name, host)...)
			continue
		}
		if _, chosen := user(name); !valid || chosen {
			continue
		}
		if value == "$"+port {
			value = strings.TrimSpace(number)
		}
		if value == everyIPv4 && host != "" {
			value = host
		}
		if value != "" {
			found = append(found, setting{name, value})
		}
	}
	return found
}

// binding returns the variable with options of gunicorn, with the host before those that it has.
func binding(user lookup, name, host string) []setting {
	if host == "" {
		return nil
	}
	number, _ := user(port)
	if number = strings.TrimSpace(number); number == "" {
		number = strconv.Itoa(defaultPort)
	}
	options, _ := user(name)
	return []setting{{name, strings.TrimSpace("--bind " + bracketed(host) + ":" + number + " " + options)}}
}

// besideLayer returns a file of the layer whose exec.d has this program.
func besideLayer(program, name string) string {
	return filepath.Join(filepath.Dir(filepath.Dir(program)), name)
}
