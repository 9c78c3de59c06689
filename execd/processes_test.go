package main

import (
	"maps"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"testing/fstest"
)

func TestTargets(t *testing.T) {
	// 2: sh, runs 3: bash, which runs 4: a server with the worker 5; 2 also runs 6: tee.
	now := processes{
		parents: map[int]int{1: 0, 2: 1, 3: 2, 4: 3, 5: 4, 6: 2, 7: 1, 8: 1},
		isShell: func(process int) bool { return process == 2 || process == 3 || process == 8 },
		handles: func(process int, number syscall.Signal) bool {
			return process == 3 && number == syscall.SIGUSR1
		},
		isFed: func(process int) bool { return process == 6 },
	}
	for name, each := range map[string]struct {
		process int
		number  syscall.Signal
		want    []int
	}{
		"to stop shells":              {2, syscall.SIGTERM, []int{2, 3, 4}},
		"what shells run":             {2, syscall.SIGHUP, []int{4}},
		"shells that handle it":       {2, syscall.SIGUSR1, []int{3, 4}},
		"a program alone":             {4, syscall.SIGTERM, []int{4}},
		"a program without processes": {7, syscall.SIGHUP, []int{7}},
		"a shell that runs nothing":   {8, syscall.SIGHUP, []int{8}},
		"the reader of a pipe":        {6, syscall.SIGTERM, []int{}},
	} {
		got := slices.Sorted(slices.Values(now.targets(each.process, each.number)))
		if !slices.Equal(got, each.want) {
			t.Errorf("%s: got %v, want %v", name, got, each.want)
		}
	}
}

func TestReaderOfAPipeIsFedByAProcess(t *testing.T) {
	reading, writing, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader := exec.Command("/bin/cat")
	reader.Stdin = reading
	if err := reader.Start(); err != nil {
		t.Fatal(err)
	}
	writer := exec.Command("/bin/sleep", "900")
	writer.Stdout = writing
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	_ = writing.Close()
	number := reader.Process.Pid
	if !isFed(number, map[int]int{number: 0, writer.Process.Pid: 0}) {
		t.Error("not fed by the writer")
	}
	if isFed(number, map[int]int{number: 0}) || isFed(writer.Process.Pid, map[int]int{number: 0}) {
		t.Error("fed by no process")
	}
	_ = writer.Process.Kill()
	_ = writer.Wait()
	_ = reader.Wait()
}

func TestParents(t *testing.T) {
	proc := fstest.MapFS{
		"12/stat":   {Data: []byte("12 (a) b (c) S 7 12 12 0")},
		"13/stat":   {Data: []byte("13 (sh) S 12 13")},
		"14/stat":   {Data: []byte("14 (gone")},
		"self/stat": {Data: []byte("13 (sh) S 12 13")},
	}
	if got := parents(proc); !maps.Equal(got, map[int]int{12: 7, 13: 12}) {
		t.Errorf("got %v", got)
	}
	if got := parents(fstest.MapFS{}); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestExitCode(t *testing.T) {
	for status, want := range map[syscall.WaitStatus]int{
		0: 0, 3 << 8: 3, 15: 143, 9: 137, 11 | 0x80: 139, // 0x80: with a core dump
	} {
		if got := exitCode(status); got != want {
			t.Errorf("%v: got %d, want %d", status, got, want)
		}
	}
}
