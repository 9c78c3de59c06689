package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// served answers each connection at an address of this machine; it returns the port and the requests.
func served(t *testing.T, address string, answer func(net.Conn)) (string, chan string) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("this machine has no such address: %v", err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	requests := make(chan string, 8)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			buffer := make([]byte, 4096)
			count, _ := connection.Read(buffer)
			requests <- string(buffer[:count])
			answer(connection)
			_ = connection.Close()
		}
	}()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port), requests
}

func text200(answer string) func(net.Conn) {
	return func(connection net.Conn) { _, _ = io.WriteString(connection, answer) }
}

func TestHealthIsTheStatus(t *testing.T) {
	for answer, want := range map[string]int{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok": healthy,
		"HTTP/1.0 204 No Content\r\n\r\n":                healthy,
		"HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n":      healthy,
		"HTTP/1.1 399\n":                                       healthy,
		"HTTP/1.1 404 Not Found\r\n\r\n":                       unhealthy,
		"HTTP/1.1 503 Service Unavailable\r\n\r\n":             unhealthy,
		"HTTP/1.1 100 Continue\r\n\r\n":                        unhealthy,
		"HTTP/1.1 OK\r\n\r\n":                                  unhealthy,
		"SSH-2.0-x 200\r\n":                                    unhealthy,
		"HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 3<<20): healthy,
		"": unhealthy,
	} {
		number, _ := served(t, "127.0.0.1:0", text200(answer))
		if got := runHealth(nil, variables(port, number), "/gone"); got != want {
			t.Errorf("%.30q: got %d", answer, got)
		}
	}
}

func TestRequestHasThePathAndHost(t *testing.T) {
	file := filepath.Join(t.TempDir(), "health_path")
	_ = os.WriteFile(file, []byte("/healthz?full=1\n"), 0o644)
	number, requests := served(t, "127.0.0.1:0", text200("HTTP/1.0 200 OK\r\n\r\n"))
	for _, each := range []struct {
		arguments []string
		user      lookup
		want      string
	}{
		{nil, variables(port, number), "GET /healthz?full=1 HTTP/1.0\r\nHost: localhost\r\n"},
		{nil, variables(port, number, healthHost, "shop.example"), "GET /healthz?full=1 HTTP/1.0\r\nHost: shop.example\r\n"},
		{[]string{"/up"}, variables(port, number), "GET /up HTTP/1.0\r\n"},
		{[]string{":" + number}, variables(port, "1"), "GET /healthz?full=1 HTTP/1.0\r\n"},
		{[]string{":" + number + "/up/"}, variables(), "GET /up/ HTTP/1.0\r\n"},
	} {
		if got := runHealth(each.arguments, each.user, file); got != healthy {
			t.Errorf("%v: got %d", each.arguments, got)
		} else if got := <-requests; !strings.HasPrefix(got, each.want) {
			t.Errorf("%v: got %q", each.arguments, got)
		}
	}
}

func TestCheckOfDefaults(t *testing.T) {
	if got, err := checkOf(nil, variables(), "/gone"); err != nil || got != (check{8000, "/", "localhost"}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, each := range []struct {
		arguments []string
		user      lookup
	}{
		{nil, variables(port, "http")}, {nil, variables(port, "0")}, {nil, variables(port, "70000")},
		{[]string{"http://x/"}, variables()}, {[]string{"/a b"}, variables()},
		{nil, variables(healthHost, "a\r\nX: y")},
	} {
		if got, err := checkOf(each.arguments, each.user, "/gone"); err == nil {
			t.Errorf("%v: got %v", each.arguments, got)
		}
	}
}

func TestHealthOverIPv6(t *testing.T) {
	number, _ := served(t, "[::1]:0", text200("HTTP/1.0 200 OK\r\n\r\n"))
	if got := runHealth(nil, variables(port, number), "/gone"); got != healthy {
		t.Errorf("got %d", got)
	}
}

func TestNothingListens(t *testing.T) {
	listener, _ := net.Listen("tcp", "127.0.0.1:0")
	number := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	_ = listener.Close()
	if got := runHealth(nil, variables(port, number), "/gone"); got != unhealthy {
		t.Errorf("got %d", got)
	}
}

func TestAnswerThatNeverEndsIsCut(t *testing.T) {
	number, _ := served(t, "127.0.0.1:0", func(connection net.Conn) {
		for range 100 {
			if _, err := connection.Write([]byte("x")); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
	began := time.Now()
	if got := runHealth(nil, variables(port, number), "/gone"); got != unhealthy {
		t.Errorf("got %d", got)
	}
	if took := time.Since(began); took > 2*healthTime {
		t.Errorf("took %v", took)
	}
}
