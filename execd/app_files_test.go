package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const chainlitRow = "CHAINLIT_APP_ROOT\t.\t{}\t.chainlit public chainlit*.md\n"

var chainlitFiles = map[string]string{
	".chainlit/config.toml": "[UI]", ".env": "SECRET=1", "app.py": "import chainlit", "chainlit.md": "Welcome",
	"frontend/dist/index.html": "own", "public/logo.svg": "logo",
}

// chainlitDirectory returns the directory of Chainlit below root, the container's, after the start of a process;
// "" if it keeps the app's.
func chainlitDirectory(t *testing.T, root string, user lookup, writable bool) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "directories")
	_ = os.WriteFile(file, []byte(chainlitRow), 0o644)
	app := filepath.Join(root, "workspace")
	in := paths{root, "", "/workspace", "/tmp", func(path string) bool { return writable || path != app }}
	found, _ := packageDirectories(user, file, in)
	if len(found) == 1 {
		return filepath.Join(root, found[0].value)
	}
	chosen, _ := user("CHAINLIT_APP_ROOT")
	if chosen != "" && !filepath.IsAbs(chosen) {
		chosen = filepath.Join("workspace", chosen)
	}
	if chosen != "" {
		chosen = filepath.Join(root, chosen)
	}
	return chosen
}

func chainlitApp(t *testing.T) string {
	t.Helper()
	root := container(t, "tmp")
	for name, content := range chainlitFiles {
		path := filepath.Join(root, "workspace", name)
		_ = os.MkdirAll(filepath.Dir(path), 0o755)
		_ = os.WriteFile(path, []byte(content), 0o444)
	}
	return root
}

func TestWritableAppKeepsItsDirectory(t *testing.T) {
	if directory := chainlitDirectory(t, chainlitApp(t), variables(), true); directory != "" {
		t.Errorf("got %q", directory)
	}
}

func TestOtherDirectoryHasTheFilesOfTheApp(t *testing.T) {
	for name, chosen := range map[string]string{"none": "", "of a volume": "/data/app", "in the app": "state"} {
		t.Run(name, func(t *testing.T) {
			root, user := chainlitApp(t), variables()
			if chosen != "" {
				user = variables("CHAINLIT_APP_ROOT", chosen)
			}
			for range 2 { // a second start over the directory of the first
				directory := chainlitDirectory(t, root, user, false)
				for name, content := range chainlitFiles {
					got, _ := os.ReadFile(filepath.Join(directory, name))
					if name == ".env" {
						content = ""
					}
					if string(got) != content {
						t.Errorf("%s has %q", name, got)
					}
				}
				if file, err := os.OpenFile(filepath.Join(directory, "chainlit.md"), os.O_WRONLY, 0); err != nil {
					t.Errorf("a copy is not writable: %v", err)
				} else {
					_ = file.Close()
				}
				if link, err := os.Readlink(filepath.Join(directory, filepath.Base(directory))); err == nil {
					t.Errorf("the directory has a link to itself: %q", link)
				}
			}
		})
	}
}

// A start updates the copies of the previous one; files that the user wrote stay, and are named.
func TestFilesOfTheUserStay(t *testing.T) {
	for name, each := range map[string]struct {
		chosen  string
		own     map[string]string // files of the directory before the first start
		changed map[string]string // after it
		want    map[string]string
		kept    string
	}{
		"of a volume": {
			chosen: "/data",
			own:    map[string]string{".chainlit/config.toml": "mine", "app.db": "rows"},
			want:   map[string]string{".chainlit/config.toml": "mine", "app.db": "rows", "chainlit.md": "New"},
			kept:   ".chainlit/config.toml",
		},
		"in the app": {
			chosen: "chat",
			own:    map[string]string{"chainlit.md": "mine", "public/logo.svg": "mine"},
			want:   map[string]string{"chainlit.md": "mine", "public/logo.svg": "mine", ".chainlit/config.toml": "[UI]"},
			kept:   "chainlit.md, public/logo.svg",
		},
		"equal to the app's, until that changes": {
			chosen: "/data",
			own:    map[string]string{"chainlit.md": "Welcome"},
			want:   map[string]string{"chainlit.md": "Welcome"},
			kept:   "chainlit.md",
		},
		"a changed copy": {
			chosen:  "/data",
			changed: map[string]string{".chainlit/config.toml": "mine"},
			want:    map[string]string{".chainlit/config.toml": "mine", "chainlit.md": "New"},
			kept:    ".chainlit/config.toml",
		},
		"a file where the app has a directory": {
			chosen: "/data",
			own:    map[string]string{"public": "mine"},
			want:   map[string]string{"public": "mine", "chainlit.md": "New"},
			kept:   "public",
		},
		"a directory where the app has a file": {
			chosen: "/data",
			own:    map[string]string{"chainlit.md/page": "mine"},
			want:   map[string]string{"chainlit.md/page": "mine", "public/logo.svg": "logo"},
			kept:   "chainlit.md",
		},
		"nothing of the user": {
			chosen: "/data",
			want:   map[string]string{"chainlit.md": "New", ".chainlit/config.toml": "[UI]"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := chainlitApp(t)
			directory := filepath.Join(root, "data")
			if each.chosen == "chat" {
				directory = filepath.Join(root, "workspace/chat")
			}
			user := variables("CHAINLIT_APP_ROOT", each.chosen)
			place(t, directory, each.own)
			chainlitDirectory(t, root, user, false)
			place(t, directory, each.changed)
			place(t, filepath.Join(root, "workspace"), map[string]string{"chainlit.md": "New"})
			for range 2 {
				kept, err := appFiles(
					filepath.Join(root, "workspace"), directory, []string{".chainlit", "public", "chainlit*.md"},
				)
				if got := strings.Join(kept, ", "); got != each.kept || err != nil {
					t.Errorf("kept %q, want %q: %v", got, each.kept, err)
				}
				for name, content := range each.want {
					if got, _ := os.ReadFile(filepath.Join(directory, name)); string(got) != content {
						t.Errorf("%s has %q, want %q", name, got, content)
					}
				}
			}
		})
	}
}

// A process whose working directory is below the directory that the user chose.
func TestDirectoryAboveTheAppGetsNothing(t *testing.T) {
	root := chainlitApp(t)
	chat := filepath.Join(root, "workspace/chat")
	place(t, chat, map[string]string{"chainlit.md": "of the chat", "own.py": "", "public/chat.svg": ""})
	for _, above := range []string{"workspace", "link"} {
		_ = os.Symlink(filepath.Join(root, "workspace"), filepath.Join(root, "link"))
		kept, err := appFiles(chat, filepath.Join(root, above), []string{"public", "chainlit*.md"})
		if len(kept) > 0 || err != nil {
			t.Errorf("kept %q: %v", kept, err)
		}
	}
	for _, name := range []string{"own.py", "public/chat.svg", copiesFile} {
		if _, err := os.Lstat(filepath.Join(root, "workspace", name)); err == nil {
			t.Errorf("the app has %s", name)
		}
	}
}

func TestDirectoryInsideACopiedDirectoryHasNoCopyOfItself(t *testing.T) {
	root := chainlitApp(t)
	directory := chainlitDirectory(t, root, variables("CHAINLIT_APP_ROOT", "public/state"), false)
	if got, _ := os.ReadFile(filepath.Join(directory, "public/logo.svg")); string(got) != "logo" {
		t.Errorf("the logo is %q", got)
	}
	if _, err := os.Lstat(filepath.Join(directory, "public/state")); err == nil {
		t.Error("the directory has a copy of itself")
	}
}

func TestLinkOfTheUserStays(t *testing.T) {
	root := chainlitApp(t)
	place(t, filepath.Join(root, "settings"), map[string]string{"config.toml": "mine"})
	_ = os.MkdirAll(filepath.Join(root, "data"), 0o755)
	_ = os.Symlink(filepath.Join(root, "settings"), filepath.Join(root, "data/.chainlit"))
	_ = os.Symlink(filepath.Join(root, "settings/missing"), filepath.Join(root, "data/chainlit.md"))
	chainlitDirectory(t, root, variables("CHAINLIT_APP_ROOT", "/data"), false)
	if got, _ := os.ReadFile(filepath.Join(root, "data/.chainlit/config.toml")); string(got) != "mine" {
		t.Errorf("got %q", got)
	}
	if _, err := os.Lstat(filepath.Join(root, "settings/missing")); err == nil {
		t.Error("a file was written through the link")
	}
}

func TestLogNamesFilesThatStay(t *testing.T) {
	root := chainlitApp(t)
	place(t, filepath.Join(root, "data"), map[string]string{"chainlit.md": "mine"})
	file := filepath.Join(t.TempDir(), "directories")
	_ = os.WriteFile(file, []byte(chainlitRow), 0o644)
	in := paths{root, "", "/workspace", "/tmp", func(string) bool { return false }}
	_, line := packageDirectories(variables("CHAINLIT_APP_ROOT", "/data"), file, in)
	if line != "CHAINLIT_APP_ROOT: /data keeps its own chainlit.md instead of the app's" {
		t.Errorf("the line is %q", line)
	}
}

// place writes files that their owner may change.
func place(t *testing.T, directory string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(directory, name)
		_ = os.MkdirAll(filepath.Dir(path), 0o755)
		_ = os.Remove(path)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCopyDoesNotWriteThroughLinks(t *testing.T) {
	root := chainlitApp(t)
	for _, name := range []string{".chainlit", "chainlit.md"} {
		_ = os.MkdirAll(filepath.Join(root, "data"), 0o755)
		_ = os.Symlink(filepath.Join(root, "workspace", name), filepath.Join(root, "data", name))
	}
	directory := chainlitDirectory(t, root, variables("CHAINLIT_APP_ROOT", "/data"), false)
	for _, name := range []string{".chainlit", "chainlit.md"} {
		if found, err := os.Lstat(filepath.Join(directory, name)); err != nil || found.Mode()&os.ModeSymlink != 0 {
			t.Errorf("%s is a link: %v", name, err)
		}
	}
}

func TestLinkOfTheAppToADirectoryIsNotCopied(t *testing.T) {
	for _, to := range []string{"frontend/dist", "missing"} {
		t.Run(to, func(t *testing.T) {
			root := chainlitApp(t)
			link := filepath.Join(root, "workspace/public")
			_ = os.RemoveAll(link)
			_ = os.Symlink(filepath.Join(root, "workspace", to), link)
			for range 2 {
				directory := chainlitDirectory(t, root, variables(), false)
				got, err := os.Readlink(filepath.Join(directory, "public"))
				if directory == "" || got != link {
					t.Errorf("%q has a link to %q: %v", directory, got, err)
				}
			}
		})
	}
}

func TestDirectoryOfTheAppItselfStays(t *testing.T) {
	root := chainlitApp(t)
	chainlitDirectory(t, root, variables("CHAINLIT_APP_ROOT", "/workspace"), false)
	for name, content := range chainlitFiles {
		path := filepath.Join(root, "workspace", name)
		if got, _ := os.ReadFile(path); string(got) != content {
			t.Errorf("%s has %q", name, got)
		}
	}
}

func TestProcessBesideTheAppMakesNoDirectory(t *testing.T) {
	root := chainlitApp(t)
	if directory := chainlitDirectory(t, root, variables(processType, "health"), false); directory != "" {
		t.Errorf("got %q", directory)
	}
}
