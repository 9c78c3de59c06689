package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// The shells of Debian, Ubuntu, UBI and Alpine.
var shells = map[string]bool{
	"sh": true, "bash": true, "dash": true, "ash": true, "busybox": true, "ksh": true, "zsh": true,
}

// processes are what a /proc has about the running processes.
type processes struct {
	parents map[int]int
	isShell func(process int) bool
	// Whether the process has a handler for the signal.
	handles func(process int, number syscall.Signal) bool
	// Whether another process writes to the pipe that this one reads: it ends after that one.
	isFed func(process int) bool
}

// history has the processes to which a stop signal was sent, and those that were seen to read a pipe.
type history struct{ stopped, readers map[int]bool }

func newHistory() history {
	return history{map[int]bool{}, map[int]bool{}}
}

// running returns the processes of now; it adds to the readers in sent.
func running(sent history) processes {
	now := parents(os.DirFS("/proc"))
	return processes{now, isShell, handles, func(process int) bool {
		if !isFed(process, now) {
			return false
		}
		sent.readers[process] = true
		return true
	}}
}

// send sends a signal to the program, or to what it runs if it is a shell.
//
// A shell that waits for a program does not send signals on. A program gets the signal alone, since it
// ends its own processes: those of Celery would abort their tasks.
func send(process int, number syscall.Signal, sent history) {
	for _, target := range running(sent).targets(process, number) {
		if syscall.Kill(target, number) == nil && isStop(number) {
			sent.stopped[target] = true
		}
	}
}

// stopRest sends SIGTERM to all processes that this one has to wait for, except those that got a stop
// signal: a second one makes some programs abort. withReaders: also those that read a pipe, which end
// by themselves when its writers have ended, but not all of them.
func stopRest(sent history, withReaders bool) {
	now := running(sent)
	for child, parent := range now.parents {
		if parent != os.Getpid() {
			continue
		}
		for _, target := range now.targets(child, syscall.SIGTERM) {
			if sent.stopped[target] || sent.readers[target] && !withReaders {
				continue
			}
			sent.stopped[target] = syscall.Kill(target, syscall.SIGTERM) == nil
		}
	}
}

// targets returns the programs that process runs, through shells, and the shells that handle the
// signal. One that stops is also for the other shells, which would go on to their next command. The
// readers of a pipeline are left out, so that they get the last output of the writers.
func (now processes) targets(process int, number syscall.Signal) []int {
	if now.isFed(process) {
		return nil
	}
	if !now.isShell(process) {
		return []int{process}
	}
	found := []int{}
	isWaiting := false
	for child, parent := range now.parents {
		if parent == process {
			isWaiting = true
			found = append(found, now.targets(child, number)...)
		}
	}
	if !isWaiting || isStop(number) || now.handles(process, number) {
		found = append(found, process)
	}
	return found
}

// handles reads the set of caught signals: https://docs.kernel.org/filesystems/proc.html#id10
func handles(process int, number syscall.Signal) bool {
	for line := range strings.Lines(text(os.DirFS("/proc"), strconv.Itoa(process)+"/status")) {
		if digits, found := strings.CutPrefix(line, "SigCgt:"); found {
			set, _ := strconv.ParseUint(strings.TrimSpace(digits), 16, 64)
			return set&(1<<(number-1)) != 0
		}
	}
	return false
}

// isFed: one of those in among writes to the pipe that is the standard input of process.
func isFed(process int, among map[int]int) bool {
	input := descriptor(process, "0")
	if !strings.HasPrefix(input, "pipe:") {
		return false
	}
	for other := range among {
		if other != process && (descriptor(other, "1") == input || descriptor(other, "2") == input) {
			return true
		}
	}
	return false
}

// descriptor returns what a file descriptor of a process refers to; "" if that cannot be read.
func descriptor(process int, number string) string {
	target, _ := os.Readlink(filepath.Join("/proc", strconv.Itoa(process), "fd", number))
	return target
}

func isShell(process int) bool {
	// Of a script, too, this is the shell that interprets it.
	program, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(process), "exe"))
	return err == nil && shells[path.Base(program)]
}

// parents returns the parent of each process in a /proc.
//
// https://docs.kernel.org/filesystems/proc.html#id10
func parents(proc fs.FS) map[int]int {
	found := map[int]int{}
	entries, _ := fs.ReadDir(proc, ".")
	for _, entry := range entries {
		process, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		// The name, in parentheses, may have any characters.
		line := text(proc, path.Join(entry.Name(), "stat"))
		fields := strings.Fields(line[strings.LastIndex(line, ")")+1:])
		if len(fields) < 2 {
			continue
		}
		if parent, err := strconv.Atoi(fields[1]); err == nil {
			found[process] = parent
		}
	}
	return found
}
