package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// container returns a root in which only these directories exist, so that only they are writable.
func container(t *testing.T, directories ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, each := range directories {
		if err := os.MkdirAll(filepath.Join(root, each), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// named returns variables as NAME=value, with the user's id left out.
func named(found []setting) (texts []string) {
	for _, each := range found {
		value, _, _ := strings.Cut(each.value, "home-")
		texts = append(texts, each.name+"="+value)
	}
	return texts
}

func TestWritablePlaces(t *testing.T) {
	cnb := account{"cnb", "/home/cnb"}
	for name, each := range map[string]struct {
		directories []string
		user        lookup
		own         account
		want        []string
	}{
		"an ordinary container": {[]string{"tmp", "home/cnb"}, variables("HOME", "/home/cnb"), cnb, nil},
		"no /tmp, unknown user": {
			[]string{"dev/shm"}, variables("HOME", "/gone"), account{"", "/gone"},
			[]string{"TMPDIR=/dev/shm", "HOME=/dev/shm/", "USER=app", "LOGNAME=app"},
		},
		"/var/tmp is a temporary directory too": {
			[]string{"var/tmp", "dev/shm", "home/cnb"}, variables("HOME", "/home/cnb"), cnb,
			[]string{"TMPDIR=/var/tmp"},
		},
		"the last resort": {
			[]string{"home/cnb"}, variables("HOME", "/home/cnb"), cnb, []string{"TMPDIR=/home/cnb"},
		},
		"nothing is writable":       {nil, variables("HOME", "/home/cnb"), cnb, nil},
		"no home":                   {[]string{"tmp"}, variables(), cnb, []string{"HOME=/tmp/"}},
		"the home is not writable":  {[]string{"tmp"}, variables("HOME", "/home/cnb"), cnb, []string{"HOME=/tmp/"}},
		"the user's home counts":    {[]string{"tmp"}, variables("HOME", "/secrets"), cnb, nil},
		"the user's TMPDIR counts":  {[]string{"dev/shm", "home/cnb"}, variables("TMPDIR", "/data", "HOME", "/home/cnb"), cnb, nil},
		"the user's TEMP counts":    {[]string{"dev/shm", "home/cnb"}, variables("TEMP", "/data", "HOME", "/home/cnb"), cnb, nil},
		"the user's name counts":    {[]string{"tmp", "x"}, variables("HOME", "/x", "USER", "me"), account{}, nil},
		"the user's LOGNAME counts": {[]string{"tmp", "x"}, variables("HOME", "/x", "LOGNAME", "me"), account{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			root := container(t, each.directories...)
			found, said := writablePlaces(each.user, root, each.own)
			if got := named(found); !slices.Equal(got, each.want) {
				t.Errorf("got %q, want %q", got, each.want)
			}
			if (said == "") != (len(each.want) == 0) {
				t.Errorf("said %q", said)
			}
		})
	}
}

func TestTheNewHomeIsADirectoryOfTheUser(t *testing.T) {
	root := container(t, "tmp")
	for range 2 { // the second process of a container finds it
		found, _ := writablePlaces(variables("USER", "me"), root, account{})
		home, err := os.Stat(filepath.Join(root, found[0].value))
		if err != nil || home.Mode().Perm() != 0o700 {
			t.Errorf("got %v, %v", home, err)
		}
	}
}

func TestAHomeThatOthersCouldChangeIsNotTaken(t *testing.T) {
	root := container(t, "tmp", "elsewhere")
	found, _ := writablePlaces(variables("USER", "me"), root, account{})
	home := filepath.Join(root, found[0].value)
	_ = os.Remove(home)
	_ = os.Symlink(filepath.Join(root, "elsewhere"), home)
	if found, _ := writablePlaces(variables("USER", "me"), root, account{}); len(found) != 0 {
		t.Errorf("got %v", found)
	}
}

func TestAHomeWithMountedFilesStays(t *testing.T) {
	for name, want := range map[string]bool{".aws": true, ".bashrc": false} {
		home := t.TempDir()
		_ = os.Mkdir(filepath.Join(home, name), 0o755)
		if got := holdsFiles(home); got != want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestAccountOf(t *testing.T) {
	image := fstest.MapFS{"etc/passwd": {Data: []byte(
		"root:x:0:0:root:/root:/bin/bash\nbroken\ncnb:x:1000:1000::/home/cnb:/bin/sh\n",
	)}}
	for number, want := range map[int]account{1000: {"cnb", "/home/cnb"}, 0: {"root", "/root"}, 7: {}} {
		if got := accountOf(image, number); got != want {
			t.Errorf("%d: got %v", number, got)
		}
	}
}
