// Checks manifests of kpack and Tekton as their API servers would.
//
// Each document is decoded strictly into the platform's own types, then defaulted and validated by
// the functions of its admission webhook. Prints a line for each document: file, kind, name.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	build "github.com/pivotal/kpack/pkg/apis/build/v1alpha2"
	pipeline "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"knative.dev/pkg/apis"
	strict "sigs.k8s.io/yaml"
)

// resource is what the webhooks of both platforms call.
type resource interface {
	meta.Object
	apis.Defaultable
	apis.Validatable
}

var errUnknown = errors.New("no kind of kpack, Tekton or a Secret or ServiceAccount")

func typed(kind meta.TypeMeta) (any, error) {
	switch kind.APIVersion + " " + kind.Kind {
	case "kpack.io/v1alpha2 Buildpack":
		return &build.Buildpack{}, nil
	case "kpack.io/v1alpha2 ClusterBuildpack":
		return &build.ClusterBuildpack{}, nil
	case "kpack.io/v1alpha2 ClusterStore":
		return &build.ClusterStore{}, nil
	case "kpack.io/v1alpha2 ClusterStack":
		return &build.ClusterStack{}, nil
	case "kpack.io/v1alpha2 ClusterLifecycle":
		return &build.ClusterLifecycle{}, nil
	case "kpack.io/v1alpha2 Builder":
		return &build.Builder{}, nil
	case "kpack.io/v1alpha2 ClusterBuilder":
		return &build.ClusterBuilder{}, nil
	case "kpack.io/v1alpha2 Image":
		return &build.Image{}, nil
	case "tekton.dev/v1 Task":
		return &pipeline.Task{}, nil
	case "tekton.dev/v1 TaskRun":
		return &pipeline.TaskRun{}, nil
	case "tekton.dev/v1 Pipeline":
		return &pipeline.Pipeline{}, nil
	case "tekton.dev/v1 PipelineRun":
		return &pipeline.PipelineRun{}, nil
	case "v1 Secret":
		return &core.Secret{}, nil
	case "v1 ServiceAccount":
		return &core.ServiceAccount{}, nil
	case "v1 PersistentVolumeClaim":
		return &core.PersistentVolumeClaim{}, nil
	}
	return nil, errUnknown
}

func check(document []byte) (string, error) {
	var kind meta.TypeMeta
	if err := strict.Unmarshal(document, &kind); err != nil {
		return "", err
	}
	name := kind.APIVersion + " " + kind.Kind
	object, err := typed(kind)
	if err != nil {
		return name, err
	}
	if err := strict.UnmarshalStrict(document, object); err != nil {
		return name, err
	}
	if created, ok := object.(resource); ok {
		if created.GetName() == "" {
			// The API server makes the name before the webhook sees it.
			created.SetName(created.GetGenerateName() + "x7k2p")
		}
		// kpack's webhook looks for a default storage class, which most clusters have.
		ctx := context.WithValue(context.Background(), build.HasDefaultStorageClass, true)
		ctx = apis.WithinCreate(ctx)
		created.SetDefaults(ctx)
		if err := created.Validate(ctx); err != nil {
			return name, err
		}
	}
	return name + " " + object.(meta.Object).GetName(), nil
}

func documents(path string) error {
	content, err := os.ReadFile(path)
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
		name, err := check(document)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", path, name, err)
		}
		fmt.Printf("%s: %s\n", path, name)
	}
}

func main() {
	failed := false
	for _, path := range os.Args[1:] {
		if err := documents(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}
