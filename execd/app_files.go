package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// appFiles makes the files of the directory app visible in directory, for a package that reads and
// writes in the directory of the app: copies of those that match patterns, which the package may
// change, and links to all others.
//
// Copies replace those of the previous start, since the app may have changed. Hidden files get no link.
func appFiles(app, directory string, patterns []string) error {
	if isSame(app, directory) {
		return nil
	}
	entries, err := os.ReadDir(app)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	failed := []error{}
	for _, each := range entries {
		from, to := filepath.Join(app, each.Name()), filepath.Join(directory, each.Name())
		switch {
		case matches(each.Name(), patterns):
			failed = append(failed, copied(from, to))
		case !strings.HasPrefix(each.Name(), "."):
			if err := os.Symlink(from, to); err != nil && !errors.Is(err, fs.ErrExist) {
				failed = append(failed, err)
			}
		}
	}
	return errors.Join(failed...)
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

// copied copies the regular files of a tree, or one file, and links to all else. The copies are writable.
func copied(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(from, path)
		target := filepath.Join(to, name)
		// Writing through a link would change the file that it points to.
		if info, err := os.Lstat(target); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			if err := os.Remove(target); err != nil {
				return err
			}
		}
		if entry.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		// A link to a directory or to nothing, or no file at all, such as a socket.
		if found, err := os.Stat(path); err != nil || !found.Mode().IsRegular() {
			return os.Symlink(path, target)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o600)
	})
}
