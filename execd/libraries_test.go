package main

import (
	"slices"
	"testing"
)

func TestLibraries(t *testing.T) {
	program := "/layers/python/defaults/exec.d/defaults"
	for value, want := range map[string][]setting{
		"":                                   nil,
		"/layers/python/python/lib:/opt/lib": nil,
		"/layers/python/venv/lib":            {{libraryPath, ""}},
		"/layers/python/venv/lib:/layers/python/python/lib:/opt/lib":  {{libraryPath, "/layers/python/python/lib:/opt/lib"}},
		"/layers/apt/lib:/layers/python/venv/lib:/layers/python/venv": {{libraryPath, "/layers/apt/lib:/layers/python/venv"}},
	} {
		if got := libraries(variables(libraryPath, value), program); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	}
}
