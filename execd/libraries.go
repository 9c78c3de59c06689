package main

import (
	"path/filepath"
	"slices"
	"strings"
)

const libraryPath = "LD_LIBRARY_PATH"

// libraries returns LD_LIBRARY_PATH without the directory lib of the app's environment, to which the
// launcher added it.
//
// A wheel may install libraries there, such as an own libz.so.1, which every process of the image would
// load in place of the system's. No virtual environment elsewhere has that variable, so no package
// depends on it. program is this one, in exec.d of a layer beside that of the environment.
func libraries(user lookup, program string) []setting {
	value, _ := user(libraryPath)
	layers := filepath.Dir(filepath.Dir(filepath.Dir(program)))
	unwanted := filepath.Join(layers, "venv", "lib")
	directories := strings.Split(value, ":")
	if !slices.Contains(directories, unwanted) {
		return nil
	}
	kept := slices.DeleteFunc(directories, func(each string) bool { return each == unwanted })
	return []setting{{libraryPath, strings.Join(kept, ":")}}
}
