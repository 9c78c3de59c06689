package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// copiesFile lists the copies that appFiles made in a directory: the SHA-256 of each, and its quoted path.
const copiesFile = ".cnb-python-copies"

// copies records which files of the app a directory has copies of.
type copies struct {
	directory string
	digests   map[string]string // of each copy, by its path in the directory
	kept      []string          // the paths of other files in place of copies
}

// appFiles makes the files of the directory app visible in directory, for a package that reads and
// writes in the directory of the app: copies of those that match patterns, which the package may
// change, and links to all others. It returns the paths of files that it keeps, though the app's differ.
//
// Copies replace those of the previous start, since the app may have changed. All else in the directory
// stays: files that the user put there, and copies that have changed since. Hidden files get no link.
func appFiles(app, directory string, patterns []string) (kept []string, err error) {
	if contains(directory, app) {
		return nil, nil // the files of the directory are the user's
	}
	entries, err := os.ReadDir(app)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	list := readCopies(directory)
	failed := []error{}
	for _, each := range entries {
		from, to := filepath.Join(app, each.Name()), filepath.Join(directory, each.Name())
		switch {
		case matches(each.Name(), patterns):
			failed = append(failed, list.add(from, to))
		case !strings.HasPrefix(each.Name(), ".") && !isSame(from, directory):
			if err := os.Symlink(from, to); err != nil && !errors.Is(err, fs.ErrExist) {
				failed = append(failed, err)
			}
		}
	}
	return list.kept, errors.Join(append(failed, list.write())...)
}

// contains returns whether directory is path, or a directory above it.
func contains(directory, path string) bool {
	directory, err := filepath.EvalSymlinks(directory)
	if err != nil {
		return false
	}
	path, err = filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	name, err := filepath.Rel(directory, path)
	return err == nil && filepath.IsLocal(name)
}

func isSame(first, second string) bool {
	firstInfo, err := os.Stat(first)
	if err != nil {
		return false
	}
	secondInfo, err := os.Stat(second)
	return err == nil && os.SameFile(firstInfo, secondInfo)
}

func matches(name string, patterns []string) bool {
	for _, pattern := range patterns {
		if isMatch, _ := filepath.Match(pattern, name); isMatch {
			return true
		}
	}
	return false
}

// readCopies returns the copies of earlier starts.
func readCopies(directory string) *copies {
	list := copies{directory, map[string]string{}, nil}
	content, _ := os.ReadFile(filepath.Join(directory, copiesFile))
	for line := range strings.Lines(string(content)) {
		digest, quoted, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if name, err := strconv.Unquote(quoted); err == nil {
			list.digests[name] = digest
		}
	}
	return &list
}

// write replaces the list atomically, since another process of the container may read it.
func (list *copies) write() error {
	var content strings.Builder
	for _, name := range slices.Sorted(maps.Keys(list.digests)) {
		fmt.Fprintf(&content, "%s %q\n", list.digests[name], name)
	}
	file, err := os.CreateTemp(list.directory, copiesFile+"-*")
	if err != nil {
		return err
	}
	_, failed := file.WriteString(content.String())
	if err := errors.Join(failed, file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return os.Rename(file.Name(), filepath.Join(list.directory, copiesFile))
}

// add copies the regular files of a tree, or one file, and links to all else. The copies are writable.
func (list *copies) add(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && isSame(path, list.directory) {
			return fs.SkipDir // its copies would be copied again
		}
		name, _ := filepath.Rel(from, path)
		target := filepath.Join(to, name)
		// A link from an earlier start: writing through it would change the app.
		if linked, _ := os.Readlink(target); linked == path {
			if err := os.Remove(target); err != nil {
				return err
			}
		}
		if !entry.IsDir() {
			return list.file(path, target)
		}
		if found, err := os.Lstat(target); err == nil && !found.IsDir() {
			list.keep(target)
			return fs.SkipDir
		}
		return os.MkdirAll(target, 0o700)
	})
}

// file copies one file, unless another is in its place.
func (list *copies) file(path, target string) error {
	_, err := os.Lstat(target)
	isFree := errors.Is(err, fs.ErrNotExist)
	// A link to a directory or to nothing, or no file at all, such as a socket.
	if found, err := os.Stat(path); err != nil || !found.Mode().IsRegular() {
		if isFree {
			return os.Symlink(path, target)
		}
		list.keep(target)
		return nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	name, _ := filepath.Rel(list.directory, target)
	if current := digestOf(target); !isFree && (current == "" || current != list.digests[name]) {
		if current != digest(content) {
			list.keep(target)
		}
		return nil
	}
	list.digests[name] = digest(content)
	return os.WriteFile(target, content, 0o600)
}

func (list *copies) keep(target string) {
	name, _ := filepath.Rel(list.directory, target)
	list.kept = append(list.kept, name)
}

// digestOf returns the digest of a regular file, "" for all else.
func digestOf(path string) string {
	if found, err := os.Lstat(path); err != nil || !found.Mode().IsRegular() {
		return ""
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return digest(content)
}

func digest(content []byte) string {
	return fmt.Sprintf("%x", sha256.Sum256(content))
}
