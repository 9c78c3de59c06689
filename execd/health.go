package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// The name of the link by which the program is a health check.
	healthName = "health"
	// The name in the request, which an app may have to allow.
	healthHost = "BPL_PYTHON_HEALTH_HOST"
	// Where a web process listens without PORT: the layers have it as the default.
	defaultPort = 8000

	healthTime = 5 * time.Second
	// What is read of an answer: the rest of it makes no difference.
	mostBytes = 1 << 20

	healthy, unhealthy = 0, 1
)

// check is one request to the app of this container.
type check struct {
	port int
	path string
	host string
}

// runHealth requests the health path of the app and returns the exit code: 0 for a status of 2xx or 3xx, else 1.
//
// Kubernetes and Docker run it without the launcher, so it needs no variable. arguments may have
// ":PORT", "/path" or ":PORT/path"; file has the path that the build chose.
func runHealth(arguments []string, user lookup, file string) int {
	each, err := checkOf(arguments, user, file)
	if err == nil {
		err = each.run()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "Python: the app is not healthy: %v\n", err)
		return unhealthy
	}
	return healthy
}

func checkOf(arguments []string, user lookup, file string) (check, error) {
	content, _ := os.ReadFile(file)
	found := check{defaultPort, strings.TrimSpace(string(content)), "localhost"}
	number, _ := user(port)
	if name, _ := user(healthHost); strings.TrimSpace(name) != "" {
		found.host = strings.TrimSpace(name)
	}
	if len(arguments) > 0 {
		text, path, hasPath := strings.Cut(arguments[0], "/")
		if hasPath {
			found.path = "/" + path
		}
		if given, has := strings.CutPrefix(text, ":"); has {
			number = given
		} else if text != "" {
			return found, fmt.Errorf("%q is neither :PORT nor /path", arguments[0])
		}
	}
	if found.path == "" {
		found.path = "/"
	}
	if strings.ContainsFunc(found.path+found.host, func(letter rune) bool { return letter <= ' ' || letter == 0x7f }) {
		return found, errors.New("the path or host has a space or a control character")
	}
	if number = strings.TrimSpace(number); number != "" {
		value, err := strconv.ParseUint(number, 10, 16)
		if err != nil || value == 0 {
			return found, fmt.Errorf("%s=%q is not a port", port, number)
		}
		found.port = int(value)
	}
	return found, nil
}

// run tries IPv4 first, then IPv6: an app may listen on one of them only.
func (each check) run() error {
	err := each.ask(&syscall.SockaddrInet4{Port: each.port, Addr: [4]byte{127, 0, 0, 1}})
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EADDRNOTAVAIL) {
		loopback := [16]byte{15: 1}
		if other := each.ask(&syscall.SockaddrInet6{Port: each.port, Addr: loopback}); !isUnreachable(other) {
			return other
		}
	}
	return err
}

func isUnreachable(err error) bool {
	for _, each := range []error{syscall.ECONNREFUSED, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT, syscall.ENETUNREACH} {
		if errors.Is(err, each) {
			return true
		}
	}
	return false
}

// ask sends the request to one address. The package net would make the program larger by a third.
func (each check) ask(address syscall.Sockaddr) error {
	family := syscall.AF_INET
	if _, isNew := address.(*syscall.SockaddrInet6); isNew {
		family = syscall.AF_INET6
	}
	socket, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(socket)
	deadline := time.Now().Add(healthTime)
	limit := syscall.NsecToTimeval(healthTime.Nanoseconds())
	for _, option := range []int{syscall.SO_SNDTIMEO, syscall.SO_RCVTIMEO} {
		_ = syscall.SetsockoptTimeval(socket, syscall.SOL_SOCKET, option, &limit)
	}
	if err := retried(func() error { return syscall.Connect(socket, address) }); err != nil {
		return each.failed(err)
	}
	request := fmt.Sprintf("GET %s HTTP/1.0\r\nHost: %s\r\nUser-Agent: health\r\nAccept: */*\r\n\r\n", each.path, each.host)
	if _, err := syscall.Write(socket, []byte(request)); err != nil {
		return each.failed(err)
	}
	return each.judge(answer(socket, deadline))
}

// answer reads from the socket until its end, so that the app sees no broken connection.
func answer(socket int, deadline time.Time) (string, error) {
	var found []byte
	buffer := make([]byte, 16<<10)
	for len(found) < mostBytes {
		count := 0
		err := retried(func() (err error) {
			count, err = syscall.Read(socket, buffer)
			return err
		})
		if err == nil && count == 0 {
			err = io.EOF
		}
		if err == nil && time.Now().After(deadline) {
			err = syscall.EAGAIN
		}
		found = append(found, buffer[:max(count, 0)]...)
		if err != nil && strings.Contains(string(found), "\n") {
			break // the status is known
		}
		if err != nil {
			return "", err
		}
	}
	line, _, _ := strings.Cut(string(found), "\n")
	return strings.TrimSpace(line), nil
}

func (each check) judge(line string, err error) error {
	if err != nil {
		return each.failed(err)
	}
	fields := strings.Fields(line)
	if len(fields) < 2 || !strings.HasPrefix(fields[0], "HTTP/") {
		return each.failed(errors.New("the answer is not HTTP"))
	}
	if status, err := strconv.Atoi(fields[1]); err != nil || status < 200 || status > 399 {
		return each.failed(errors.New(strings.Join(fields[1:], " ")))
	}
	return nil
}

func (each check) failed(err error) error {
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINPROGRESS) {
		err = fmt.Errorf("no answer within %v", healthTime)
	} else if err == io.EOF {
		err = errors.New("no answer")
	}
	return fmt.Errorf("GET %s at port %d: %w", each.path, each.port, err)
}

// retried calls again what a signal has interrupted.
func retried(call func() error) error {
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}

// invokedAsHealth: this program was started by its third name.
func invokedAsHealth(arguments []string) bool {
	return len(arguments) > 0 && filepath.Base(arguments[0]) == healthName
}

// healthFile returns the file with the path, in the layer of this program.
func healthFile() string {
	program, _ := os.Executable()
	return besideLayer(program, "health_path")
}
