// Command kubebin is the real Kubernetes API server and its etcd as one binary,
// for the tests and benchmarks of the cluster collector. It is a module of its
// own, so that its dependencies never move postscan's versions.
package main

import (
	"fmt"
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	name := os.Args[1]
	os.Args = append([]string{name}, os.Args[2:]...)
	switch name {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "load":
		if err := load(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, "kubebin load:", err)
			os.Exit(1)
		}
	default:
		usage()
	}
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: kubebin etcd|kube-apiserver|load [flags]")
	os.Exit(2)
}
