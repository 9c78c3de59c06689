package main

import (
	"os"
	"path/filepath"
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
				// Chainlit writes to the copies.
				for _, name := range []string{".chainlit/config.toml", "chainlit.md"} {
					if os.WriteFile(filepath.Join(directory, name), []byte("changed"), 0) != nil {
						t.Errorf("%s is not writable", name)
					}
					if got, _ := os.ReadFile(filepath.Join(root, "workspace", name)); string(got) == "changed" {
						t.Errorf("%s of the app has changed", name)
					}
				}
			}
		})
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
