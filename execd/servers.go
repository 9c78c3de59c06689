package main

import (
	"os"
	"path/filepath"
	"strings"
)

const port = "PORT"

// listening returns the variables by which installed servers listen on all addresses at PORT, unless
// the user set them.
//
// file has one NAME=VALUE per line; the build phase writes it (launch/listening.py). Without a PORT, a
// server has its own.
func listening(user lookup, file string) (found []setting) {
	content, _ := os.ReadFile(file)
	number, _ := user(port)
	for line := range strings.Lines(string(content)) {
		name, value, valid := strings.Cut(strings.TrimSpace(line), "=")
		if _, chosen := user(name); !valid || chosen {
			continue
		}
		if value == "$"+port {
			value = strings.TrimSpace(number)
		}
		if value != "" {
			found = append(found, setting{name, value})
		}
	}
	return found
}

// besideLayer returns a file of the layer whose exec.d has this program.
func besideLayer(program, name string) string {
	return filepath.Join(filepath.Dir(filepath.Dir(program)), name)
}
