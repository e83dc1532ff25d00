package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	containersapi "github.com/containerd/containerd/api/services/containers/v1"
	namespacesapi "github.com/containerd/containerd/api/services/namespaces/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/postscan/postscan/scanner/facts"
)

// inNamespace makes a call one in a namespace of containerd.
func inNamespace(ctx context.Context, ns string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "containerd-namespace", ns)
}

// plainList lists the containers of a containerd that does not serve Kubernetes,
// as namespace/id.
func (a *criAPI) plainList(ctx context.Context) ([]string, error) {
	spaces, err := a.namespaces(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, ns := range spaces {
		r, err := containersapi.NewContainersClient(a.conn).List(inNamespace(ctx, ns), &containersapi.ListContainersRequest{})
		if err != nil {
			return nil, err
		}
		for _, c := range r.GetContainers() {
			ids = append(ids, ns+"/"+c.GetID())
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// namespaces lists containerd's namespaces but Docker's, whose content dockerd tells more of.
func (a *criAPI) namespaces(ctx context.Context) ([]string, error) {
	r, err := namespacesapi.NewNamespacesClient(a.conn).List(ctx, &namespacesapi.ListNamespacesRequest{})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, n := range r.GetNamespaces() {
		if n.GetName() != "moby" && n.GetName() != "plugins.moby" {
			out = append(out, n.GetName())
		}
	}
	return out, nil
}

// plainContainer reads one of them.
func (a *criAPI) plainContainer(ctx context.Context, s *session, ns, id string) (*container, error) {
	r, err := containersapi.NewContainersClient(a.conn).Get(inNamespace(ctx, ns), &containersapi.GetContainerRequest{ID: id})
	if status.Code(err) == codes.NotFound {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	in := r.GetContainer()
	c := &container{id: id, missing: map[string]facts.Missing{}}
	c.doc = facts.EngineContainer{
		Name: ns + "/" + id, Engine: s.facts.Name, State: "unknown", Image: imageReference(in.GetImage()), Runtime: in.GetRuntime().GetName(),
		Sandboxed: s.sandboxed(in.GetRuntime().GetName()), CapabilitiesFrom: "spec", PublicAddress: s.facts.PublicAddress, IPTables: true,
		AppArmor: "none", SELinux: "none",
		Namespaces: facts.ContainerNamespaces{PID: "private", Network: "private", IPC: "private", UTS: "private", Cgroup: "private", User: "host"},
	}
	var spec ociSpec
	if err := json.Unmarshal(in.GetSpec().GetValue(), &spec); err != nil {
		return nil, fmt.Errorf("read its OCI specification: %w", err)
	}
	s.spec(c, &spec)
	for _, m := range spec.Mounts {
		if slices.Contains(m.Options, "bind") || slices.Contains(m.Options, "rbind") {
			c.doc.Mounts = append(c.doc.Mounts, facts.ContainerMount{
				Type: "bind", Source: s.resolve(m.Source), Destination: m.Destination, ReadOnly: slices.Contains(m.Options, "ro"), Propagation: propagation(m.Options),
			})
		}
	}
	c.doc.Privileged = looksPrivileged(&c.doc)
	c.missing["ports"] = facts.Missing{Status: facts.NotAssessed, Reason: "containerd itself publishes no ports; whoever does keeps that in rules of the packet filter"}
	s.kubernetes(c, in.GetLabels())
	return c, nil
}

// looksPrivileged tells by a specification, which does not say "privileged": who has
// every capability of the kernel and no filter is. Kernels before 5.9 lack the last three.
func looksPrivileged(d *facts.EngineContainer) bool {
	if d.Seccomp != "Unconfined" || d.MaskedPaths {
		return false
	}
	return slices.Equal(d.Capabilities, []string{"ALL"}) || !slices.ContainsFunc(facts.AllCapabilities(), func(c string) bool {
		return !slices.Contains(d.Capabilities, c) && !slices.Contains([]string{"PERFMON", "BPF", "CHECKPOINT_RESTORE"}, c)
	})
}

// propagation is the one among the options of a mount.
func propagation(options []string) string {
	for _, o := range options {
		if strings.HasSuffix(o, "shared") || strings.HasSuffix(o, "slave") || strings.HasSuffix(o, "private") {
			return o
		}
	}
	return ""
}
