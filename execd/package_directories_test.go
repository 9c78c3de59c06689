package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const rows = "HF_HOME\t$XDG_CACHE_HOME/huggingface\t{}\t\nKERAS_HOME\t$HOME/.keras\t{}\t\nbroken\n" +
	"PYTENSOR_FLAGS\t$HOME/.pytensor\tbase_compiledir={}\t\nSTORAGE\t.storage\t{}\t\n" +
	"F_DATADIR\t*-data\t{}\t\n"

// assigned returns the variables for a container in which only these directories are writable. The
// user's own directory is shown as OWN.
func assigned(t *testing.T, user lookup, home string, directories ...string) (texts []string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "directories")
	_ = os.WriteFile(file, []byte(rows), 0o644)
	root := container(t, directories...)
	in := paths{root, home, "/workspace", "/tmp", func(directory string) bool {
		name, err := filepath.Rel(root, directory)
		return err == nil && slices.Contains(directories, name)
	}}
	found, said := packageDirectories(user, file, in)
	own := ownDirectory(root, in.temporary)
	for _, each := range found {
		if !strings.HasPrefix(said, found[0].name) || !strings.Contains(said, each.name) {
			t.Errorf("said %q", said)
		}
		texts = append(texts, each.name+"="+strings.Replace(each.value, own, "OWN", 1))
	}
	return texts
}

func TestPackageDirectories(t *testing.T) {
	replaced := []string{
		"HF_HOME=OWN/.cache/huggingface", "KERAS_HOME=OWN/.keras",
		"PYTENSOR_FLAGS=base_compiledir=OWN/.pytensor", "STORAGE=OWN/.storage", "F_DATADIR=OWN/f_datadir",
	}
	for name, each := range map[string]struct {
		user        lookup
		home        string
		directories []string
		want        []string
	}{
		"nothing else is writable":     {variables(), "/gone", []string{"tmp"}, replaced},
		"no home":                      {variables(), "", []string{"tmp"}, replaced},
		"the home is writable":         {variables(), "/data", []string{"tmp", "data"}, replaced[3:]},
		"the working directory too":    {variables(), "/data", []string{"tmp", "data", "workspace"}, nil},
		"a volume in the app":          {variables(), "/gone", []string{"tmp", "workspace/shop-data"}, replaced[:4]},
		"a writable directory besides": {variables(), "/gone", []string{"tmp", "workspace/data"}, replaced},
		"the cache of the user":        {variables("XDG_CACHE_HOME", "/c"), "/gone", []string{"tmp", "c"}, replaced[1:]},
		"a cache that has to be made":  {variables("XDG_CACHE_HOME", "/c/d/e"), "/gone", []string{"tmp", "c"}, replaced[1:]},
		"a relative cache is no cache": {variables("XDG_CACHE_HOME", "c"), "/gone", []string{"tmp", "c"}, replaced},
		"values of the user":           {variables("HF_HOME", "/x", "KERAS_HOME", ""), "/gone", []string{"tmp"}, replaced[2:]},
		"no temporary directory":       {variables(), "/gone", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := assigned(t, each.user, each.home, each.directories...); !slices.Equal(got, each.want) {
				t.Errorf("got %q, want %q", got, each.want)
			}
		})
	}
}

func TestDirectoriesWithFilesStay(t *testing.T) {
	root := container(t, "models/huggingface", "models/empty")
	_ = os.WriteFile(filepath.Join(root, "models/huggingface/model"), nil, 0o644)
	in := paths{root, "/", "/", "/tmp", func(string) bool { return false }}
	for name, want := range map[string]bool{"huggingface": true, "empty": false, "missing": false} {
		each := packageDirectory{usual: "$XDG_CACHE_HOME/" + name}
		if got := in.canUse(variables("XDG_CACHE_HOME", "/models"), each); got != want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestReplacementsAreMade(t *testing.T) {
	root := container(t, "tmp")
	in := paths{root, "", "/workspace", "/tmp", isWritable}
	again := packageDirectory{"NLTK_DATA", "$HOME/nltk_data", "{}", nil}
	first, second := in.replacement(again), in.replacement(again)
	if made, err := os.Stat(filepath.Join(root, first)); err != nil || made.Mode().Perm() != 0o700 || first != second {
		t.Errorf("got %v, %v, %q", made, err, second)
	}
	each := packageDirectory{"PROMETHEUS_MULTIPROC_DIR", "", "{}", nil}
	if first, second := in.replacement(each), in.replacement(each); first == second || first == "" {
		t.Errorf("got %q twice", first)
	}
}

func TestAReplacementThatCannotBeMade(t *testing.T) {
	root := container(t, "tmp")
	in := paths{root, "", "/workspace", "/tmp", isWritable}
	own := filepath.Join(root, ownDirectory(root, "/tmp"))
	_ = os.WriteFile(filepath.Join(own, ".keras"), nil, 0o644)
	if got := in.replacement(packageDirectory{"KERAS_HOME", "$HOME/.keras", "{}", nil}); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestNewDirectories(t *testing.T) {
	rows := "KERAS_HOME\t$HOME/.keras\t{}\t\nPROMETHEUS_MULTIPROC_DIR\t\t{}\t\n"
	made := "PROMETHEUS_MULTIPROC_DIR: a new directory below /tmp, which the processes of the app share"
	moved := "KERAS_HOME: directories below /tmp, since packages cannot write to their usual ones"
	for name, each := range map[string]struct {
		user     lookup
		writable bool
		names    []string
		said     string
	}{
		"all":                {variables(), false, []string{"KERAS_HOME", "PROMETHEUS_MULTIPROC_DIR"}, moved + "; " + made},
		"a writable home":    {variables(), true, []string{"PROMETHEUS_MULTIPROC_DIR"}, made},
		"a health check":     {variables(processType, "health"), false, []string{"KERAS_HOME"}, moved},
		"a console":          {variables(processType, "console"), true, nil, ""},
		"chosen by the user": {variables("PROMETHEUS_MULTIPROC_DIR", "/m"), true, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "directories")
			_ = os.WriteFile(file, []byte(rows), 0o644)
			in := paths{container(t, "tmp", "home"), "/home", "/workspace", "/tmp", func(directory string) bool {
				return each.writable
			}}
			found, said := packageDirectories(each.user, file, in)
			names := []string(nil)
			for _, one := range found {
				names = append(names, one.name)
			}
			if !slices.Equal(names, each.names) || said != each.said {
				t.Errorf("got %q, %q", names, said)
			}
		})
	}
}
