package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
	"unsafe"
)

const (
	// The name of the link by which the program is an init.
	initName = "init"
	// https://man7.org/linux/man-pages/man2/pr_set_child_subreaper.2const.html
	setChildSubreaper = 36

	// The time that processes have to end after the command has ended by itself.
	patience = 10 * time.Second
	// The time that the reader of a pipe has for the last output after its writers have ended.
	readingTime = time.Second

	// Exit codes of a shell: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02
	notExecutable = 126
	notFound      = 127
	bySignal      = 128
)

// runInit runs a command as its child and returns its exit code, or 128 and the number of the signal
// that ended it.
//
// As process 1 a program gets only signals that it handles (pid_namespaces(7)): SIGTERM would not
// end a shell, and no program that a shell waits for would get it. runInit sends signals on and
// collects processes that have ended. When the command has ended, those that it left behind get SIGTERM.
func runInit(command []string) int {
	// Orphans become children of this process even if it is not process 1.
	_, _, _ = syscall.RawSyscall6(syscall.SYS_PRCTL, setChildSubreaper, 1, 0, 0, 0, 0)
	signals := make(chan os.Signal, 64)
	signal.Notify(signals)
	// Go's runtime sends this signal to itself during long work, such as reading all processes of a busy
	// machine. Each signal would start that work again:
	// https://pkg.go.dev/os/signal#hdr-Default_behavior_of_signals_in_Go_programs
	signal.Reset(syscall.SIGURG)
	// Otherwise giving the terminal to the command would stop it.
	signal.Ignore(syscall.SIGTTOU, syscall.SIGTTIN)
	child, err := start(command)
	if err != nil {
		fmt.Fprintf(os.Stderr, "Python: %s cannot start: %v\n", command[0], cause(err))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
			return notFound
		}
		return notExecutable
	}
	return wait(child, signals)
}

// start returns the process id of the command, which has a process group of its own: the terminal's
// Ctrl-C reaches it once, from the terminal.
func start(command []string) (int, error) {
	path, err := exec.LookPath(command[0])
	if err != nil {
		return 0, err
	}
	attributes := syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{0, 1, 2},
		Sys:   &syscall.SysProcAttr{Setpgid: true, Foreground: isTerminal(0), Ctty: 0},
	}
	child, err := syscall.ForkExec(path, command, &attributes)
	if err != nil && attributes.Sys.Foreground {
		// The terminal belongs to another session.
		attributes.Sys.Foreground = false
		child, err = syscall.ForkExec(path, command, &attributes)
	}
	return child, err
}

// cause returns err without the name of the program, which the message has already.
func cause(err error) error {
	if found := (*exec.Error)(nil); errors.As(err, &found) {
		return found.Err
	}
	return err
}

func isTerminal(descriptor uintptr) bool {
	var group int32
	_, _, failed := syscall.Syscall(
		syscall.SYS_IOCTL, descriptor, syscall.TIOCGPGRP, uintptr(unsafe.Pointer(&group)),
	)
	return failed == 0
}

// wait sends signals on until the command and what it started have ended; it returns the exit code
// of the command.
func wait(command int, signals <-chan os.Signal) int {
	code, ended, stopping := 0, false, false
	var late, quiet <-chan time.Time
	sent := newHistory()
	for {
		status, isOver, isEmpty := reap(command)
		if isOver {
			code, ended = status, true
			if !stopping {
				late = time.After(patience)
			}
		}
		if isEmpty {
			return code
		}
		if ended {
			// Processes that it left behind: background jobs, the workers of a killed server.
			stopRest(sent, false)
			quiet = time.After(readingTime)
		}
		select {
		case <-quiet:
			stopRest(sent, true)
		case <-late:
			return code
		case received := <-signals:
			number := received.(syscall.Signal)
			if !isOwn(number) {
				send(command, number, sent)
				stopping = stopping || isStop(number)
			}
		}
	}
}

// reap collects the processes that have ended; isOver: the command is one of them, with its code;
// isEmpty: there is no process any more.
func reap(command int) (code int, isOver, isEmpty bool) {
	for {
		var status syscall.WaitStatus
		process, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return code, isOver, true
		case process == 0:
			return code, isOver, false
		case process == command:
			code, isOver = exitCode(status), true
		}
	}
}

func exitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return bySignal + int(status.Signal())
	}
	return status.ExitStatus()
}

// isOwn: the signal is for this process, not for the command.
func isOwn(number syscall.Signal) bool {
	switch number {
	case syscall.SIGCHLD, syscall.SIGPIPE:
		return true
	}
	return false
}

func isStop(number syscall.Signal) bool {
	return number == syscall.SIGTERM || number == syscall.SIGINT || number == syscall.SIGQUIT
}

// invokedAsInit: this program was started by its other name.
func invokedAsInit(arguments []string) bool {
	return len(arguments) > 1 && filepath.Base(arguments[0]) == initName
}
