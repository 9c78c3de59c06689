package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	strict "sigs.k8s.io/yaml"
)

// each calls do with each object of the YAML file at path, or of all YAML files in the directory at path.
func each(path string, do func(string, *unstructured.Unstructured) error) error {
	files := []string{path}
	if about, err := os.Stat(path); err != nil {
		return err
	} else if about.IsDir() {
		if files, err = filepath.Glob(filepath.Join(path, "*.yaml")); err != nil {
			return err
		}
		sort.Strings(files)
	}
	for _, file := range files {
		if err := eachOf(file, do); err != nil {
			return err
		}
	}
	return nil
}

func eachOf(file string, do func(string, *unstructured.Unstructured) error) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		json, err := strict.YAMLToJSONStrict(document)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if string(json) == "null" {
			continue
		}
		object := &unstructured.Unstructured{}
		// kpack's settings have no kind.
		if err := object.UnmarshalJSON(json); err != nil && !runtime.IsMissingKind(err) {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := do(file, object); err != nil {
			return err
		}
	}
}
