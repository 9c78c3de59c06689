package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestListening(t *testing.T) {
	layer := t.TempDir()
	file := besideLayer(filepath.Join(layer, "exec.d", "defaults"), "variables")
	_ = os.WriteFile(file, []byte("A_HOST=0.0.0.0\nA_PORT=$PORT\n\nbroken\nB=x=y"), 0o644)
	for name, each := range map[string]struct {
		user lookup
		want []setting
	}{
		"defaults": {
			variables(port, "8123"), []setting{{"A_HOST", "0.0.0.0"}, {"A_PORT", "8123"}, {"B", "x=y"}},
		},
		"the user's values count": {
			variables(port, "8123", "A_HOST", "10.0.0.1", "A_PORT", "", "B", "z"), nil,
		},
		"no port": {variables(), []setting{{"A_HOST", "0.0.0.0"}, {"B", "x=y"}}},
	} {
		if got := listening(each.user, file, ""); !slices.Equal(got, each.want) {
			t.Errorf("%s: got %v, want %v", name, got, each.want)
		}
	}
	if got := listening(variables(), filepath.Join(layer, "gone"), ""); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestServersListenOnTheHost(t *testing.T) {
	const arguments = "GUNICORN_CMD_ARGS"
	file := filepath.Join(t.TempDir(), "variables")
	_ = os.WriteFile(file, []byte("A_HOST=0.0.0.0\nA_PORT=$PORT\n"+arguments+"=$BIND\n"), 0o644)
	user := variables(port, "80", arguments, "--log-level debug")
	for host, want := range map[string][]setting{
		"":   {{"A_HOST", "0.0.0.0"}, {"A_PORT", "80"}},
		"::": {{"A_HOST", "::"}, {"A_PORT", "80"}, {arguments, "--bind [::]:80 --log-level debug"}},
	} {
		if got := listening(user, file, host); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", host, got, want)
		}
	}
}
