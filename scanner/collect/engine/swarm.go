package engine

import (
	"cmp"
	"context"
	"slices"

	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"github.com/postscan/postscan/scanner/facts"
)

// swarm reads Docker's cluster. The join tokens are not asked for: what is
// needed of the cluster is in what the engine says of itself.
func (s *session) swarm(ctx context.Context, d *dockerAPI) {
	info, f := d.info.Swarm, &s.facts.Swarm
	f.State = cmp.Or(string(info.LocalNodeState), "inactive")
	f.Manager = info.ControlAvailable
	rest := []string{
		"swarm.managers", "swarm.workers", "swarm.active_managers", "swarm.autolock", "swarm.certificate_days", "swarm.root_rotating",
		"swarm.secrets", "swarm.services", "swarm.configs",
	}
	switch {
	case f.State == "inactive":
		return
	case f.State == "locked":
		s.gap(facts.Unknown, "the swarm is locked; unlock it to have it looked at", false, rest...)
		return
	case !f.Manager:
		s.gap(facts.NotAssessed, "this engine is a worker, and only managers tell of the swarm; run postscan engine on one", false, rest...)
		return
	}
	if c := info.Cluster; c != nil {
		f.AutoLock = c.Spec.EncryptionConfig.AutoLockManagers
		f.CertificateDays = c.Spec.CAConfig.NodeCertExpiry.Hours() / 24
		f.RootRotating = c.RootRotationInProgress
		if c.ID != "" {
			s.aliases = append(s.aliases, facts.Alias{Type: "swarm-id", Value: c.ID})
		}
	} else {
		s.gap(facts.Unknown, "the engine does not tell of its cluster", false, "swarm.autolock", "swarm.certificate_days", "swarm.root_rotating")
	}
	s.swarmNodes(ctx, d)
	s.swarmServices(ctx, d)
	s.swarmData(ctx, d)
}

func (s *session) swarmNodes(ctx context.Context, d *dockerAPI) {
	err := s.call(ctx, "list the nodes of the swarm", func(ctx context.Context) error {
		list, err := d.cli.NodeList(ctx, client.NodeListOptions{})
		for _, n := range list.Items {
			if n.Spec.Role != swarm.NodeRoleManager {
				s.facts.Swarm.Workers++
				continue
			}
			s.facts.Swarm.Managers++
			if n.Spec.Availability == swarm.NodeAvailabilityActive {
				s.facts.Swarm.ActiveManagers++
			}
		}
		return err
	})
	if err != nil {
		s.gap(facts.Unknown, s.explain(err).Error(), false, "swarm.managers", "swarm.workers", "swarm.active_managers")
	}
}

func (s *session) swarmServices(ctx context.Context, d *dockerAPI) {
	err := s.call(ctx, "list the services of the swarm", func(ctx context.Context) error {
		list, err := d.cli.ServiceList(ctx, client.ServiceListOptions{})
		for _, svc := range list.Items {
			s.facts.Swarm.Services = append(s.facts.Swarm.Services, s.service(svc))
		}
		return err
	})
	if err != nil {
		s.gap(facts.Unknown, s.explain(err).Error(), false, "swarm.services")
	}
	slices.SortFunc(s.facts.Swarm.Services, func(a, b facts.SwarmService) int { return cmp.Compare(a.Name, b.Name) })
}

// service turns one service into facts.
func (s *session) service(svc swarm.Service) facts.SwarmService {
	out := facts.SwarmService{Name: svc.Spec.Name}
	for _, p := range svc.Endpoint.Ports {
		if p.PublishedPort != 0 {
			out.Published = append(out.Published, int(p.PublishedPort))
		}
	}
	slices.Sort(out.Published)
	spec := svc.Spec.TaskTemplate.ContainerSpec
	if spec == nil {
		return out
	}
	out.Image, out.Secrets, out.Capabilities = spec.Image, len(spec.Secrets), names(spec.CapabilityAdd)
	for _, m := range spec.Mounts {
		if m.Type == mount.TypeBind {
			out.Mounts = append(out.Mounts, m.Source)
		}
	}
	slices.Sort(out.Mounts)
	out.LiteralSecrets = s.secrets("spec", spec.Env, append(slices.Clone(spec.Command), spec.Args...))
	return out
}

// swarmData counts secrets, whose content never leaves the swarm, and looks into configs.
func (s *session) swarmData(ctx context.Context, d *dockerAPI) {
	err := s.call(ctx, "list the secrets of the swarm", func(ctx context.Context) error {
		list, err := d.cli.SecretList(ctx, client.SecretListOptions{})
		s.facts.Swarm.Secrets = len(list.Items)
		return err
	})
	if err != nil {
		s.gap(facts.Unknown, s.explain(err).Error(), false, "swarm.secrets")
	}
	if s.opts.Detect == nil {
		return
	}
	err = s.call(ctx, "list the configs of the swarm", func(ctx context.Context) error {
		list, err := d.cli.ConfigList(ctx, client.ConfigListOptions{})
		for _, c := range list.Items {
			found := s.opts.Detect("file", c.Spec.Name, string(c.Spec.Data))
			if len(found) == 0 {
				continue
			}
			out := facts.SwarmConfig{Name: c.Spec.Name}
			for _, f := range found {
				out.LiteralSecrets = append(out.LiteralSecrets, facts.LiteralSecret{
					Where: "config", Rule: f.Rule, Category: f.Category, Title: f.Title, Severity: f.Severity, Length: f.Length, Path: "spec.data",
				})
			}
			s.facts.Swarm.Configs = append(s.facts.Swarm.Configs, out)
		}
		return err
	})
	if err != nil {
		s.gap(facts.Unknown, s.explain(err).Error(), false, "swarm.configs")
	}
	slices.SortFunc(s.facts.Swarm.Configs, func(a, b facts.SwarmConfig) int { return cmp.Compare(a.Name, b.Name) })
}
