package main

import (
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const (
	// Where the platform mounts service bindings for the app: https://servicebinding.io/spec
	bindingRoot = "SERVICE_BINDING_ROOT"
	// The type that Paketo's buildpack of that name knows too.
	bindingType = "ca-certificates"

	// A bundle with all public authorities has 0.3 MB.
	largestFile = 4 << 20
)

// bundleVariables are the variables that name a bundle of authorities. They are read by OpenSSL, and
// so by Python's ssl; by requests; by curl; by the tools of AWS.
var bundleVariables = []string{
	"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE",
}

// bundles are the paths of systems' bundles, in the order of Go's crypto/x509.
var bundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/cert.pem",
}

// trusted returns the variables that make the app trust the authorities of its bindings in addition to
// those that it trusts already, and a warning if that is not possible.
func trusted(user lookup, system, places []string) (found []setting, trouble string) {
	added, trouble := authorities(user)
	if len(added) == 0 {
		return nil, trouble
	}
	for _, name := range bundleVariables {
		base, chosen := user(name)
		if !chosen || base == "" {
			base = firstFile(system)
		}
		text, err := readFile(base)
		switch {
		case err != nil && (chosen && base != "" || name != bundleVariables[0]):
			continue // a directory, or a file that this program cannot extend: replacing it would remove authorities
		case err != nil:
			text = nil
		}
		file, err := written(append(append(text, '\n'), added...), places)
		if err != nil {
			return nil, fmt.Sprintf("authorities of bindings are not trusted: %v", err)
		}
		found = append(found, setting{name, file})
	}
	return found, trouble
}

// authorities returns the certificates of all bindings of the type, and the problems with them.
func authorities(user lookup) (found []byte, trouble string) {
	root, _ := user(bindingRoot)
	if root == "" {
		return nil, ""
	}
	for _, directory := range visible(root) {
		kind, _ := readFile(filepath.Join(directory, "type"))
		if !strings.EqualFold(strings.TrimSpace(string(kind)), bindingType) {
			continue
		}
		for _, file := range visible(directory) {
			if name := filepath.Base(file); name == "type" || name == "provider" {
				continue
			}
			certificates := certificatesIn(file)
			if len(certificates) == 0 {
				trouble = fmt.Sprintf("%s holds no certificate that can be read", file)
			}
			found = append(found, certificates...)
		}
	}
	return found, trouble
}

// certificatesIn returns only the certificates of a file: a key in it is never copied.
func certificatesIn(file string) (found []byte) {
	rest, _ := readFile(file)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return found
		}
		if block.Type == "CERTIFICATE" {
			found = append(found, pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})...)
		}
	}
}

// readFile returns the bytes of a regular file of at most largestFile bytes. Reading anything else, such
// as a pipe or a device, might wait forever or never end, and then the app would not start.
func readFile(name string) ([]byte, error) {
	// The kind first: opening some devices has effects. Then again, since it may have changed.
	if err := regular(os.Stat(name)); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := regular(file.Stat()); err != nil {
		return nil, err
	}
	bytes, err := io.ReadAll(io.LimitReader(file, largestFile+1))
	if len(bytes) > largestFile {
		return nil, fmt.Errorf("%s is larger than %d MB", name, largestFile>>20)
	}
	return bytes, err
}

// regular returns an error if what os.Stat returned is no regular file.
func regular(found os.FileInfo, err error) error {
	if err == nil && !found.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", found.Name())
	}
	return err
}

// visible returns the files in a directory, by name, without the hidden ones of Kubernetes.
func visible(directory string) (found []string) {
	entries, _ := os.ReadDir(directory)
	for _, each := range entries {
		if !strings.HasPrefix(each.Name(), ".") {
			found = append(found, filepath.Join(directory, each.Name()))
		}
	}
	slices.Sort(found)
	return found
}

// written writes content to the first directory that is writable, and returns the file. The same
// content is the same file, so that a container that starts often does not fill the disk.
func written(content []byte, places []string) (string, error) {
	err := fmt.Errorf("no place to write them to")
	for _, place := range places {
		if place == "" {
			continue
		}
		var file string
		if file, err = put(content, place); err == nil {
			return file, nil
		}
	}
	return "", err
}

func put(content []byte, place string) (string, error) {
	// Written to a new file and moved there: a file that another user left under the name is never trusted.
	draft, err := os.CreateTemp(place, ".authorities-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(content)
	for _, do := range []func() error{func() error { return draft.Chmod(0o644) }, draft.Close} {
		if err == nil {
			err = do()
		}
	}
	file := filepath.Join(place, fmt.Sprintf("authorities-%x.pem", sha256.Sum256(content)))
	if err == nil {
		err = os.Rename(draft.Name(), file)
	}
	return file, err
}

func firstFile(candidates []string) string {
	for _, each := range candidates {
		if found, err := os.Stat(each); err == nil && found.Mode().IsRegular() {
			return each
		}
	}
	return ""
}

func places(user lookup) []string {
	chosen, _ := user("TMPDIR")
	// A container with a read-only file system usually has memory there.
	return []string{chosen, "/tmp", "/dev/shm"}
}
