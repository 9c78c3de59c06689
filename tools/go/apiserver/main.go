// Applies manifests of kpack and Tekton to a real API server, which has their CustomResourceDefinitions.
//
// The server is the one inside kube-apiserver that serves custom resources, with etcd; both run in this process. Nothing
// is stored: each manifest is a dry run, with strict checks of fields. Prints a line for each manifest.
//
//	apiserver DIRECTORY... -- MANIFEST...
//
// DIRECTORY has files with CustomResourceDefinitions; other resources in them are ignored.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"k8s.io/apiextensions-apiserver/pkg/apihelpers"
	definitions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

const startTimeout = time.Minute

// cluster is the API server, and what it serves.
type cluster struct {
	definitions clientset.Interface
	resources   dynamic.Interface
	kinds       map[schema.GroupVersionKind]*definitions.CustomResourceDefinition
}

func connect(config *rest.Config) (*cluster, error) {
	defined, err := clientset.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	resources, err := dynamic.NewForConfig(config)
	kinds := map[schema.GroupVersionKind]*definitions.CustomResourceDefinition{}
	return &cluster{defined, resources, kinds}, err
}

// define creates the CustomResourceDefinition, and waits until it is served.
func (c *cluster) define(ctx context.Context, object *unstructured.Unstructured) error {
	var definition definitions.CustomResourceDefinition
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &definition); err != nil {
		return err
	}
	// Each manifest has one version, so the webhook that converts between versions is not needed.
	definition.Spec.Conversion = nil
	all := c.definitions.ApiextensionsV1().CustomResourceDefinitions()
	created, err := all.Create(ctx, &definition, meta.CreateOptions{FieldValidation: meta.FieldValidationStrict})
	if err != nil {
		return err
	}
	isServed := func(ctx context.Context) (bool, error) {
		created, err = all.Get(ctx, created.Name, meta.GetOptions{})
		return err == nil && apihelpers.IsCRDConditionTrue(created, definitions.Established), err
	}
	if err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, startTimeout, true, isServed); err != nil {
		return fmt.Errorf("%s is not served: %w", definition.Name, err)
	}
	for _, version := range created.Spec.Versions {
		kind := schema.GroupVersionKind{Group: created.Spec.Group, Version: version.Name, Kind: created.Spec.Names.Kind}
		c.kinds[kind] = created
	}
	return nil
}

// try returns an error if the server would not accept the object.
func (c *cluster) try(ctx context.Context, object *unstructured.Unstructured) error {
	kind := object.GroupVersionKind()
	definition, ok := c.kinds[kind]
	if !ok {
		return errors.New("the server does not have this kind")
	}
	resource := dynamic.ResourceInterface(c.resources.Resource(kind.GroupVersion().WithResource(definition.Spec.Names.Plural)))
	if definition.Spec.Scope == definitions.NamespaceScoped {
		namespace := object.GetNamespace()
		if namespace == "" {
			namespace = meta.NamespaceDefault
		}
		resource = resource.(dynamic.NamespaceableResourceInterface).Namespace(namespace)
	} else if object.GetNamespace() != "" {
		return errors.New("the kind has no namespace")
	}
	_, err := resource.Create(ctx, object, meta.CreateOptions{
		DryRun: []string{meta.DryRunAll}, FieldValidation: meta.FieldValidationStrict,
	})
	return err
}

func run(ctx context.Context, directories, manifests []string) (refused []error, err error) {
	config, stop, err := start(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	api, err := connect(config)
	if err != nil {
		return nil, err
	}
	for _, directory := range directories {
		if err := each(directory, func(_ string, object *unstructured.Unstructured) error {
			if object.GetKind() != "CustomResourceDefinition" {
				return nil
			}
			return api.define(ctx, object)
		}); err != nil {
			return nil, err
		}
	}
	for _, manifest := range manifests {
		err := each(manifest, func(path string, object *unstructured.Unstructured) error {
			if object.GetAPIVersion() == "v1" {
				return nil // a Secret, ServiceAccount, ...: kinds of Kubernetes itself
			}
			title := fmt.Sprintf("%s: %s %s", path, object.GetAPIVersion(), object.GetKind())
			if err := api.try(ctx, object); err != nil {
				return fmt.Errorf("%s: %w", title, err)
			}
			fmt.Println(title)
			return nil
		})
		refused = append(refused, err)
	}
	return refused, nil
}

func main() {
	// Without the server's messages that the rest of Kubernetes is missing.
	klog.SetLogger(klog.Logger{})
	end := slices.Index(os.Args, "--")
	if end < 2 {
		fmt.Fprintln(os.Stderr, "usage: apiserver DIRECTORY... -- MANIFEST...")
		os.Exit(2)
	}
	refused, err := run(context.Background(), os.Args[1:end], os.Args[end+1:])
	if err := errors.Join(append(refused, err)...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
