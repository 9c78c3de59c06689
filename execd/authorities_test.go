package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const (
	one = "-----BEGIN CERTIFICATE-----\nb25l\n-----END CERTIFICATE-----\n"
	two = "-----BEGIN CERTIFICATE-----\ndHdv\n-----END CERTIFICATE-----\n"
	key = "-----BEGIN PRIVATE KEY-----\na2V5\n-----END PRIVATE KEY-----\n"
)

// tree writes texts by path below a new directory, and returns that.
func tree(t *testing.T, pairs ...string) string {
	t.Helper()
	root := t.TempDir()
	for i := 0; i < len(pairs); i += 2 {
		file := filepath.Join(root, pairs[i])
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(pairs[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func content(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWithoutBindingsNothingIsSet(t *testing.T) {
	other := tree(t, "db/type", "postgresql", "db/password", one)
	for _, user := range []lookup{variables(), variables(bindingRoot, "/nowhere"), variables(bindingRoot, other)} {
		if found, trouble := trusted(user, nil, []string{t.TempDir()}); found != nil || trouble != "" {
			t.Errorf("got %v, %q", found, trouble)
		}
	}
}

func TestAuthoritiesComeToThoseOfTheSystem(t *testing.T) {
	root := tree(t, "ca/type", "CA-Certificates\n", "ca/provider", "x", "ca/a.pem", key+two, "ca/.hidden", key)
	system := filepath.Join(tree(t, "bundle", one), "bundle")
	place := t.TempDir()
	found, trouble := trusted(variables(bindingRoot, root), []string{"/nowhere", system}, []string{"", "/nowhere", place})
	if trouble != "" || len(found) != len(bundleVariables) {
		t.Fatalf("got %v, %q", found, trouble)
	}
	for _, each := range found {
		if got := content(t, each.value); got != one+"\n"+two {
			t.Errorf("%s: got %q", each.name, got)
		}
	}
	again, _ := trusted(variables(bindingRoot, root), []string{system}, []string{place})
	left, _ := os.ReadDir(place)
	if again[0] != found[0] || len(left) != 1 {
		t.Errorf("got %v and %v", again[0], left)
	}
}

func TestAuthoritiesComeToWhatTheUserChose(t *testing.T) {
	root := tree(t, "ca/type", bindingType, "ca/a.pem", two)
	chosen := filepath.Join(tree(t, "own", one), "own")
	user := variables(bindingRoot, root, "SSL_CERT_FILE", chosen, "REQUESTS_CA_BUNDLE", t.TempDir())
	found, _ := trusted(user, nil, []string{t.TempDir()})
	// No bundle of the system: requests and the others keep what they bring along.
	if len(found) != 1 || found[0].name != "SSL_CERT_FILE" || content(t, found[0].value) != one+"\n"+two {
		t.Errorf("got %v", found)
	}
}

func TestWhatCannotBeDoneIsSaid(t *testing.T) {
	root := tree(t, "ca/type", bindingType, "ca/a.pem", two, "ca/b.pem", "nothing")
	_, trouble := trusted(variables(bindingRoot, root), nil, []string{t.TempDir()})
	if !strings.HasSuffix(trouble, "b.pem holds no certificate that can be read") {
		t.Errorf("got %q", trouble)
	}
	found, trouble := trusted(variables(bindingRoot, root), nil, []string{"/proc/nowhere"})
	if found != nil || !strings.HasPrefix(trouble, "authorities of bindings are not trusted: ") {
		t.Errorf("got %v, %q", found, trouble)
	}
}

func TestWhatIsNoSmallFileIsNotRead(t *testing.T) {
	root := tree(t, "ca/type", bindingType, "ca/a.pem", two, "large/type", bindingType, "typed/b.pem", two)
	pipes := []string{"ca/pipe.pem", "typed/type"}
	for _, each := range pipes {
		if err := syscall.Mkfifo(filepath.Join(root, each), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/dev/zero", filepath.Join(root, "ca/zero.pem")); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(root, "large/type"), 1<<40); err != nil {
		t.Fatal(err)
	}
	found, trouble := trusted(variables(bindingRoot, root), []string{"/dev/zero"}, []string{t.TempDir()})
	if len(found) != 1 || content(t, found[0].value) != "\n"+two {
		t.Errorf("got %v", found)
	}
	if !strings.HasSuffix(trouble, "zero.pem holds no certificate that can be read") {
		t.Errorf("got %q", trouble)
	}
}
