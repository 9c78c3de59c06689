package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// What a user who is not in /etc/passwd is called.
const stranger = "app"

// temporaryVariables are those by which Python's tempfile and others find a directory.
var temporaryVariables = []string{"TMPDIR", "TEMP", "TMP"}

// skeleton has the files that every new home directory contains.
var skeleton = map[string]bool{
	".bashrc": true, ".bash_profile": true, ".bash_logout": true, ".profile": true,
}

// account is what the image has about the user of the process.
type account struct {
	name string // "": the image does not know the user
	home string
}

// writablePlaces returns variables for programs that write where a read-only container does not let
// them, and a line to print.
//
// root is the file system, "/" outside of tests. A value that the user chose is never replaced.
func writablePlaces(user lookup, root string, own account) (found []setting, said string) {
	temporary, added := temporaryDirectory(user, root)
	if added {
		found = append(found, setting{temporaryVariables[0], temporary})
	}
	if home := replacedHome(user, root, temporary, own); home != "" {
		found = append(found, setting{"HOME", home})
	}
	// Python's getpass reads these, and fails for a user without an entry.
	if !has(user, "USER") && !has(user, "LOGNAME") && own.name == "" {
		found = append(found, setting{"USER", stranger}, setting{"LOGNAME", stranger})
	}
	if len(found) > 0 {
		assigned := []string{}
		for _, each := range found {
			assigned = append(assigned, each.name+"="+each.value)
		}
		said = fmt.Sprintf("%s, since the container has no other", strings.Join(assigned, ", "))
	}
	return found, said
}

// temporaryDirectory returns the directory for temporary files, and whether a variable has to name it.
func temporaryDirectory(user lookup, root string) (directory string, added bool) {
	for _, name := range temporaryVariables {
		if chosen, _ := user(name); chosen != "" {
			return chosen, false
		}
	}
	home, _ := user("HOME")
	for _, candidate := range []string{"/tmp", "/var/tmp", "/dev/shm", "/run", home} {
		if candidate != "" && isWritable(filepath.Join(root, candidate)) {
			return candidate, candidate != "/tmp"
		}
	}
	return "", false
}

// replacedHome returns a directory in temporary for the user; "" if HOME is to stay.
func replacedHome(user lookup, root, temporary string, own account) string {
	home, _ := user("HOME")
	isAssigned := home == "" || home == "/" || home == own.home // by the engine, not by the user
	if temporary == "" || !isAssigned || home != "" && isWritable(filepath.Join(root, home)) {
		return ""
	}
	if len(home) > 1 && holdsFiles(filepath.Join(root, home)) {
		return ""
	}
	return ownDirectory(root, temporary)
}

// ownDirectory makes a directory in temporary for the user alone, unless it exists; "" if that fails.
func ownDirectory(root, temporary string) string {
	directory := filepath.Join(temporary, "home-"+strconv.Itoa(os.Getuid()))
	path := filepath.Join(root, directory)
	if err := os.Mkdir(path, 0o700); err != nil && !isOwnDirectory(path) {
		return ""
	}
	return directory
}

// holdsFiles: the home directory has files of its own, such as credentials that were mounted.
func holdsFiles(home string) bool {
	entries, _ := os.ReadDir(home)
	for _, each := range entries {
		if !skeleton[each.Name()] {
			return true
		}
	}
	return false
}

// isOwnDirectory: a directory of the user, which no other user could have prepared.
func isOwnDirectory(path string) bool {
	found, err := os.Lstat(path)
	if err != nil || !found.IsDir() || found.Mode().Perm()&0o022 != 0 {
		return false
	}
	status, known := found.Sys().(*syscall.Stat_t)
	return known && int(status.Uid) == os.Getuid()
}

// isWritable: a file can be made in the directory. Permissions alone do not show it.
func isWritable(directory string) bool {
	file, err := os.CreateTemp(directory, ".cnb-python-*")
	if err != nil {
		return false
	}
	_ = file.Close()
	return os.Remove(file.Name()) == nil
}

// accountOf returns the entry of a user in the image's /etc/passwd (passwd(5)).
func accountOf(root fs.FS, number int) account {
	for line := range strings.Lines(text(root, "etc/passwd")) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) >= 6 && fields[2] == strconv.Itoa(number) {
			return account{fields[0], fields[5]}
		}
	}
	return account{}
}
