package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/apiextensions-apiserver/pkg/cmd/server/options"
	"k8s.io/apimachinery/pkg/util/wait"
	generic "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/util/compatibility"
	features "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	components "k8s.io/component-base/compatibility"
)

// No other server authenticates clients: they have the token of this process.
const kubeconfig = `
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: none}]
contexts: [{name: none, context: {cluster: none, user: none}}]
current-context: none
`

// start runs etcd and the API server, and returns how to reach it, and a function that stops both.
func start(ctx context.Context) (*rest.Config, func(), error) {
	directory, err := os.MkdirTemp("", "apiserver")
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	store, err := etcd(directory)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	stop := func() {
		cancel()
		store.Close()
		os.RemoveAll(directory)
	}
	server, err := apiServer(directory, store.Clients[0].Addr())
	if err != nil {
		stop()
		return nil, nil, err
	}
	go func() {
		if err := server.PrepareRun().RunWithContext(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	config := server.LoopbackClientConfig
	if err := ready(ctx, config); err != nil {
		stop()
		return nil, nil, err
	}
	return config, stop, nil
}

func etcd(directory string) (*embed.Etcd, error) {
	config := embed.NewConfig()
	config.Dir = filepath.Join(directory, "etcd")
	config.LogLevel = "error"
	// A free port.
	local := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	config.ListenClientUrls, config.ListenPeerUrls = []url.URL{local}, []url.URL{local}
	config.UnsafeNoFsync = true
	store, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	<-store.Server.ReadyNotify()
	return store, nil
}

func apiServer(directory string, store net.Addr) (*generic.GenericAPIServer, error) {
	access := filepath.Join(directory, "kubeconfig")
	if err := os.WriteFile(access, []byte(kubeconfig), 0o600); err != nil {
		return nil, err
	}
	settings := options.NewCustomResourceDefinitionsServerOptions(io.Discard, os.Stderr)
	registry := components.NewComponentGlobalsRegistry()
	version := compatibility.DefaultKubeEffectiveVersionForTest()
	if err := registry.Register(components.DefaultKubeComponent, version, features.DefaultMutableFeatureGate); err != nil {
		return nil, err
	}
	settings.ServerRunOptions.ComponentGlobalsRegistry = registry
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	serving := settings.RecommendedOptions.SecureServing
	serving.Listener, serving.BindPort = listener, listener.Addr().(*net.TCPAddr).Port
	flags := pflag.NewFlagSet("apiserver", pflag.ContinueOnError)
	settings.AddFlags(flags)
	if err := flags.Parse([]string{
		"--etcd-servers", "http://" + store.String(),
		"--cert-dir", directory,
		"--authentication-skip-lookup",
		"--authentication-kubeconfig", access,
		"--authorization-kubeconfig", access,
		"--kubeconfig", access,
		// These need the rest of kube-apiserver, which does not run here.
		"--enable-priority-and-fairness=false",
		"--disable-admission-plugins",
		"NamespaceLifecycle,MutatingAdmissionWebhook,ValidatingAdmissionWebhook,ValidatingAdmissionPolicy",
	}); err != nil {
		return nil, err
	}
	if err := settings.Complete(); err != nil {
		return nil, err
	}
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	config, err := settings.Config()
	if err != nil {
		return nil, err
	}
	server, err := config.Complete().New(generic.NewEmptyDelegate())
	if err != nil {
		return nil, err
	}
	return server.GenericAPIServer, nil
}

func ready(ctx context.Context, config *rest.Config) error {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	return wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, startTimeout, true, func(ctx context.Context) (bool, error) {
		_, err := client.RESTClient().Get().AbsPath("/healthz").DoRaw(ctx)
		return err == nil, nil
	})
}
