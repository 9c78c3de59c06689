package main

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const asInit = "CNB_PYTHON_TEST_INIT"

// TestMain lets the program of the tests be an init too.
func TestMain(m *testing.M) {
	if os.Getenv(asInit) != "" {
		os.Exit(runInit(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// started returns an init that runs a script, which has printed "ready".
func started(t *testing.T, script string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	command := exec.Command(os.Args[0], "/bin/sh", "-c", script)
	command.Env = append(os.Environ(), asInit+"=1")
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() })
	reader := bufio.NewReader(output)
	if line, _ := reader.ReadString('\n'); line != "ready\n" {
		t.Fatalf("got %q", line)
	}
	return command, reader
}

// ended returns the exit code and the rest of the output. Fails if the process takes 20 seconds,
// which is far less than the scripts here sleep.
func ended(t *testing.T, command *exec.Cmd, reader *bufio.Reader) (int, string) {
	t.Helper()
	late := time.AfterFunc(20*time.Second, func() { _ = command.Process.Kill() })
	var rest strings.Builder
	_, _ = reader.WriteTo(&rest)
	_ = command.Wait()
	if !late.Stop() {
		t.Fatal("it did not end")
	}
	return command.ProcessState.ExitCode(), rest.String()
}

// A program that ends when it gets SIGTERM, and says so.
const server = `sh -c 'trap "echo stopped; exit 7" TERM; echo ready; while :; do sleep 0.05; done'`

func TestSIGTERMReachesWhatAShellRuns(t *testing.T) {
	for name, script := range map[string]string{
		"the only command":  server,
		"a list":            server + "; true",
		"a condition":       server + " || exit 1",
		"a subshell":        "(cd / && " + server + "); true",
		"a loop":            "while :; do " + server + "; done",
		"a background job":  server + " & sleep 900",
		"an if":             "if true; then " + server + "; fi; true",
		"a pipeline":        server + " | cat",
		"a loop that reads": server + " | while read line; do echo $line; done",
	} {
		t.Run(name, func(t *testing.T) {
			command, reader := started(t, script)
			_ = command.Process.Signal(syscall.SIGTERM)
			_, output := ended(t, command, reader)
			if !strings.Contains(output, "stopped") {
				t.Errorf("got %q", output)
			}
		})
	}
}

func TestCodeOfTheCommandIsReturned(t *testing.T) {
	for script, want := range map[string]int{
		"echo ready; exit 3":                          3,
		"echo ready; kill -KILL $$":                   137,
		"echo ready; sleep 900 & exit 4":              4,
		"echo ready; (sleep 0.2; echo late) & exit 0": 0,
	} {
		command, reader := started(t, script)
		if code, _ := ended(t, command, reader); code != want {
			t.Errorf("%s: got %d, want %d", script, code, want)
		}
	}
}

func TestCodeAfterASignalIsThatOfTheCommand(t *testing.T) {
	for script, want := range map[string]int{
		"exec " + server:             7,
		"echo ready; exec sleep 900": 143,
	} {
		command, reader := started(t, script)
		_ = command.Process.Signal(syscall.SIGTERM)
		if code, _ := ended(t, command, reader); code != want {
			t.Errorf("%s: got %d, want %d", script, code, want)
		}
	}
}

func TestWhatTheCommandLeavesIsStoppedGracefully(t *testing.T) {
	command, reader := started(t, server+" & sleep 0.5; exit 5")
	code, output := ended(t, command, reader)
	if code != 5 || output != "stopped\n" {
		t.Errorf("got %d, %q", code, output)
	}
}

func TestReaderThatDoesNotEndWithItsPipeIsStopped(t *testing.T) {
	command, reader := started(t, "sleep 900 | "+server)
	_ = command.Process.Signal(syscall.SIGTERM)
	if _, output := ended(t, command, reader); output != "stopped\n" {
		t.Errorf("got %q", output)
	}
}

// On a busy machine Go's runtime sends itself SIGURG all the time.
func TestSignalsOfGoDoNotDelayTheStopOfAReader(t *testing.T) {
	command, reader := started(t, "sleep 900 | "+server)
	_ = command.Process.Signal(syscall.SIGTERM)
	sent := time.NewTicker(100 * time.Millisecond)
	defer sent.Stop()
	go func() {
		for range sent.C {
			_ = command.Process.Signal(syscall.SIGURG)
		}
	}()
	if _, output := ended(t, command, reader); output != "stopped\n" {
		t.Errorf("got %q", output)
	}
}

func TestOtherSignalsReachTheProgramAndNotAShellThatHasNoHandler(t *testing.T) {
	reloading := strings.Replace(server, "trap", `trap "echo reloaded" HUP; trap`, 1)
	command, reader := started(t, reloading+"; true")
	_ = command.Process.Signal(syscall.SIGHUP)
	if line, _ := reader.ReadString('\n'); line != "reloaded\n" {
		t.Errorf("got %q", line)
	}
	_ = command.Process.Signal(syscall.SIGTERM)
	if _, output := ended(t, command, reader); output != "stopped\n" {
		t.Errorf("got %q", output)
	}
}

func TestCommandThatCannotStart(t *testing.T) {
	for program, want := range map[string]int{
		"no-such-program": 127, "/no/such/program": 127, "/etc/passwd": 126, "/": 126,
	} {
		command := exec.Command(os.Args[0], program)
		command.Env = append(os.Environ(), asInit+"=1")
		output, _ := command.CombinedOutput()
		if code := command.ProcessState.ExitCode(); code != want {
			t.Errorf("%s: got %d, want %d", program, code, want)
		}
		if !strings.HasPrefix(string(output), "Python: "+program+" cannot start: ") {
			t.Errorf("%s: got %q", program, output)
		}
	}
}

func TestInitIsAnotherNameOfTheProgram(t *testing.T) {
	for _, each := range []struct {
		arguments []string
		want      bool
	}{
		{[]string{"/layers/defaults/init", "python"}, true},
		{[]string{"/layers/defaults/init"}, false},
		{[]string{"/layers/defaults/exec.d/defaults"}, false},
	} {
		if got := invokedAsInit(each.arguments); got != each.want {
			t.Errorf("%v: got %v", each.arguments, got)
		}
	}
}
