package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Directories of a user, and where they are in the home directory without the variable:
// https://specifications.freedesktop.org/basedir-spec/latest/
var userDirectories = map[string]string{
	"$HOME": "", "$XDG_CACHE_HOME": ".cache", "$XDG_CONFIG_HOME": ".config", "$XDG_DATA_HOME": ".local/share",
}

// processType has the type of a process that runs beside the app. Layer `defaults` sets it for the types
// console and health: a health check is started every few seconds.
const processType = "BPL_PYTHON_PROCESS"

// packageDirectory is a variable by which a package finds the directory that it writes to.
type packageDirectory struct {
	variable string
	// The directory without the variable, such as $XDG_CACHE_HOME/huggingface; relative: to the working
	// directory; its name may be a pattern. "": the package writes only if the variable is set, to a
	// directory that has to be new.
	usual string
	value string // of the variable; {} is the directory
	// Patterns of the app's files that the package reads and changes in this directory. Another directory
	// gets them from the app: see appFiles.
	files []string
}

// paths are what packageDirectories depends on besides variables.
type paths struct {
	root      string // the file system, "/" outside of tests
	home      string // of the user, as the container has it; "": no home
	working   string // the working directory
	temporary string // the effective TMPDIR

	isWritable func(directory string) bool
}

// pathsOf returns the paths of the running container.
func pathsOf(user lookup, own account) paths {
	home, _ := user("HOME")
	if home == "" {
		home = own.home
	}
	working, _ := os.Getwd()
	temporary, _ := temporaryDirectory(user, "/")
	return paths{"/", home, working, temporary, isWritable}
}

// packageDirectories returns the variables of installed packages that could not write to their usual
// directories, and a line to print. Their directories are made.
//
// file has one row per variable: name, usual directory, value and patterns of files, separated by tabs;
// the build phase writes it (layers/package_directories.py). A variable of the user is never replaced,
// and its directory gets the app's files too.
func packageDirectories(user lookup, file string, in paths) (found []setting, said string) {
	moved, made, kept := []string{}, []string{}, []string{}
	_, isBeside := user(processType)
	for _, each := range readPackageDirectories(file) {
		value, chosen := user(each.variable)
		if value != "" && !isBeside {
			// The package reports what it cannot write.
			stayed, _ := in.fill(each, value)
			kept = append(kept, stayed...)
		}
		if chosen || isBeside && (each.usual == "" || len(each.files) > 0) || in.canUse(user, each) {
			continue
		}
		directory := in.replacement(each)
		if directory == "" {
			continue
		}
		stayed, err := in.fill(each, directory)
		if err != nil {
			continue
		}
		kept = append(kept, stayed...)
		found = append(found, setting{each.variable, strings.Replace(each.value, "{}", directory, 1)})
		if each.usual == "" {
			made = append(made, each.variable)
		} else {
			moved = append(moved, each.variable)
		}
	}
	return found, strings.Join(slices.Concat(
		sentences(moved, in.temporary, "directories below %s, since packages cannot write to their usual ones"),
		sentences(made, in.temporary, "a new directory below %s, which the processes of the app share"),
		kept,
	), "; ")
}

// sentences returns the sentence on variables with directories below temporary; none without variables.
func sentences(variables []string, temporary, sentence string) []string {
	if len(variables) == 0 {
		return nil
	}
	return []string{strings.Join(variables, ", ") + ": " + fmt.Sprintf(sentence, temporary)}
}

func readPackageDirectories(file string) (rows []packageDirectory) {
	content, _ := os.ReadFile(file)
	for line := range strings.Lines(string(content)) {
		if fields := strings.Split(strings.TrimRight(line, "\n"), "\t"); len(fields) == 4 {
			rows = append(rows, packageDirectory{fields[0], fields[1], fields[2], strings.Fields(fields[3])})
		}
	}
	return rows
}

// canUse: the directory is writable, can be made, or has files, such as a read-only volume with models,
// which another directory would hide. Files of the app do not count: another directory gets them too.
func (in paths) canUse(user lookup, each packageDirectory) bool {
	path := in.usualPath(user, each.usual)
	if path == "" || each.usual == "" {
		return false
	}
	if len(each.files) > 0 {
		return in.isWritable(filepath.Join(in.root, path))
	}
	if isPattern(each.usual) {
		return in.isWritable(filepath.Join(in.root, filepath.Dir(path))) || in.hasVolume(path)
	}
	if entries, err := os.ReadDir(filepath.Join(in.root, path)); err == nil && len(entries) > 0 {
		return true
	}
	for {
		if _, err := os.Stat(filepath.Join(in.root, path)); err == nil {
			return in.isWritable(filepath.Join(in.root, path))
		}
		if path == filepath.Dir(path) {
			return false
		}
		path = filepath.Dir(path)
	}
}

// isPattern returns whether the name of the directory depends on the app.
func isPattern(usual string) bool {
	return strings.Contains(usual, "*")
}

// hasVolume returns whether a directory that matches pattern is writable, such as a volume. Others may
// be directories of the app.
func (in paths) hasVolume(pattern string) bool {
	matching, _ := filepath.Glob(filepath.Join(in.root, pattern))
	return slices.ContainsFunc(matching, in.isWritable)
}

// usualPath returns the absolute path of a usual directory; "" if it depends on a home directory and
// the user has none.
func (in paths) usualPath(user lookup, usual string) string {
	name, rest, _ := strings.Cut(usual, "/")
	inHome, isUsers := userDirectories[name]
	if !isUsers {
		return filepath.Join(in.working, usual)
	}
	if chosen, _ := user(name[1:]); name != "$HOME" && filepath.IsAbs(chosen) {
		return filepath.Join(chosen, rest)
	}
	if in.home == "" {
		return ""
	}
	return filepath.Join(in.home, inHome, rest)
}

// replacement returns a new or existing directory in the user's own one in temporary, at the same path
// as in a home directory; "" if it cannot be made.
func (in paths) replacement(each packageDirectory) string {
	if in.temporary == "" {
		return ""
	}
	own := ownDirectory(in.root, in.temporary)
	if own == "" {
		return ""
	}
	if each.usual == "" {
		made, err := os.MkdirTemp(filepath.Join(in.root, own), strings.ToLower(each.variable)+"-")
		if err != nil {
			return ""
		}
		return filepath.Join(own, filepath.Base(made))
	}
	name, rest, _ := strings.Cut(each.usual, "/")
	directory := filepath.Join(own, each.usual)
	if each.usual == "." || isPattern(each.usual) {
		directory = filepath.Join(own, strings.ToLower(each.variable))
	}
	if inHome, isUsers := userDirectories[name]; isUsers {
		directory = filepath.Join(own, inHome, rest)
	}
	if os.MkdirAll(filepath.Join(in.root, directory), 0o700) != nil {
		return ""
	}
	return directory
}

// fill gives a directory the files of the app, if the package needs them there. It returns a sentence
// about the files that the directory keeps, though the app's differ.
func (in paths) fill(each packageDirectory, directory string) (lines []string, err error) {
	if len(each.files) == 0 {
		return nil, nil
	}
	if !filepath.IsAbs(directory) {
		directory = filepath.Join(in.working, directory)
	}
	kept, err := appFiles(filepath.Join(in.root, in.working), filepath.Join(in.root, directory), each.files)
	if len(kept) > 0 {
		lines = append(lines, fmt.Sprintf(
			"%s: %s keeps its own %s instead of the app's", each.variable, directory, strings.Join(kept, ", "),
		))
	}
	return lines, err
}
