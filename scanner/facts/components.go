package facts

import (
	"slices"
	"strconv"
	"strings"
)

// CommandLine is what of a container tells how a component runs.
type CommandLine struct {
	Command, Args []string
	// Env are its variables, name and value, in order; EnvFrom is true where it
	// has more from objects.
	Env     [][2]string
	EnvFrom bool
	// Path is that of the container: "spec.containers[0]".
	Path string
}

// ComponentOf reads the flags of a component of the control plane by the name of
// its container; ok is false where the image, without registry and tag, is none of it.
func ComponentOf(name, image string, l CommandLine) (c Component, ok bool) {
	image = strings.TrimPrefix(image[strings.LastIndexByte(image, '/')+1:], "hardened-") // RKE2's
	if len(knownFlags(name)) == 0 || image != "hyperkube" && image != "kubernetes" && !strings.HasPrefix(image, name) {
		return Component{}, false
	}
	c = Component{Name: name, Flags: ParseFlags(name, l.Command, l.Path+".command")}
	for _, f := range ParseFlags(name, l.Args, l.Path+".args") {
		c.Flags = AddFlag(c.Flags, f)
	}
	if name == "etcd" { // it takes its flags as variables too
		for i, v := range l.Env {
			flag, own := strings.CutPrefix(v[0], "ETCD_")
			flag = strings.ReplaceAll(strings.ToLower(flag), "_", "-")
			if _, given := FlagOf(c.Flags, flag); own && !given && KeepsFlag("etcd", flag) {
				c.Flags = AddFlag(c.Flags, Flag{Name: flag, Value: v[1], Path: l.Path + ".env[" + strconv.Itoa(i) + "]"})
			}
		}
	}
	c.ConfigFile = l.setElsewhere(name, c.Flags)
	return c, true
}

// setElsewhere: what the flags leave out may be set in another place.
func (l *CommandLine) setElsewhere(name string, flags []Flag) bool {
	for _, f := range []string{"config", "config-file", "openshift-config"} {
		if _, ok := FlagOf(flags, f); ok {
			return true
		}
	}
	if name == "etcd" && l.EnvFrom {
		return true
	}
	// A shell puts the command line together, or the image's own entry point does.
	if len(l.Command) == 0 {
		return len(l.Args) == 0
	}
	return strings.HasSuffix(l.Command[0], "sh") || strings.HasSuffix(l.Command[0], ".py")
}

// healthPaths are those that may answer everybody.
func healthPaths() []string { return []string{"/healthz", "/livez", "/readyz"} }

// OnlyHealth is true where all of the paths are health endpoints or lie below one.
func OnlyHealth(paths []string) bool {
	return !slices.ContainsFunc(paths, func(p string) bool {
		return !slices.ContainsFunc(healthPaths(), func(h string) bool { return p == h || strings.HasPrefix(p, h+"/") })
	})
}

// FromComponents fills in what follows from the components: who may ask the API
// servers anonymously, where no request was tried, and the encryption of Secrets,
// where nothing else told of it ("anonymous" and "encryption" stand in gaps).
// It books the files that flags name and that were not read. gaps is the
// document's [Resource.Missing].
func (c *Cluster) FromComponents(gaps map[string]Missing) {
	const reason = "needs the node's own files: run postscan vm on the control-plane node"
	part := Missing{Status: NotAssessed, Partial: true, Reason: reason}
	for field, list := range map[string][]Component{
		"api_servers": c.APIServers, "controller_managers": c.ControllerManagers, "schedulers": c.Schedulers, "etcds": c.Etcds, "kube_proxies": c.KubeProxies,
	} {
		if slices.ContainsFunc(list, func(x Component) bool { return x.ConfigFile }) {
			gaps[field+"[].flags"] = Missing{Status: NotAssessed, Partial: true, Reason: "a file, a script or variables set what its flags do not; " + reason}
		}
	}
	unread := func(flag, path string) {
		for i := range c.APIServers {
			if _, given := FlagOf(c.APIServers[i].Flags, flag); given && !c.APIServers[i].Config.Read {
				gaps[path] = part
			}
		}
	}
	unread("authentication-config", "api_servers[].config.anonymous")
	unread("authorization-config", "api_servers[].config.authorizers")
	unread("audit-policy-file", "api_servers[].config.audit_drops")
	if len(c.APIServers) == 0 {
		return
	}
	if _, untried := gaps["anonymous"]; untried {
		bindings, bound := gaps["anonymous"], c.Anonymous.Enabled == "unknown" && c.Anonymous.Bindings >= 0
		delete(gaps, "anonymous")
		gaps["anonymous.bindings"], gaps["anonymous.paths"] = bindings, bindings
		seen := c.Anonymous.Bindings
		c.anonymousByFlags()
		if bound { // a live cluster whose server was not asked
			c.Anonymous.Bindings = seen
			delete(gaps, "anonymous.bindings")
		}
		unread("authentication-config", "anonymous.enabled")
	}
	if _, untold := gaps["encryption"]; untold {
		delete(gaps, "encryption")
		c.encryptionByFlags()
		unread("encryption-provider-config", "encryption.provider")
	}
}

// anonymousByFlags reads who may ask without credentials from the flags.
func (c *Cluster) anonymousByFlags() {
	c.Anonymous = AnonymousAccess{Enabled: "false", Limited: true, Bindings: -1}
	for i := range c.APIServers {
		s := &c.APIServers[i]
		if v, ok := FlagOf(s.Flags, "anonymous-auth"); ok && v == "false" || s.Config.Read && s.Config.Anonymous == "false" {
			continue
		}
		c.Anonymous.Enabled = "true"
		limited := s.Config.Read && len(s.Config.AnonymousPaths) > 0 && OnlyHealth(s.Config.AnonymousPaths)
		c.Anonymous.Limited = c.Anonymous.Limited && limited
	}
	c.Anonymous.Limited = c.Anonymous.Limited && c.Anonymous.Enabled == "true"
}

// encryptionByFlags reads how Secrets are kept from the flags and files of the API servers.
func (c *Cluster) encryptionByFlags() {
	c.Encryption = Encryption{Configured: true}
	for i := range c.APIServers {
		s := &c.APIServers[i]
		at := slices.IndexFunc(s.Flags, func(f Flag) bool { return f.Name == "encryption-provider-config" })
		if at < 0 {
			c.Encryption = Encryption{Path: s.Path}
			return
		}
		// The weakest of several instances counts; one that reads nothing else is enough to write in the clear.
		if p := s.Config.SecretsProvider; c.Encryption.Path == "" || weaker(p, c.Encryption.Provider) {
			c.Encryption.Provider, c.Encryption.Path = p, s.Path+".flags["+strconv.Itoa(at)+"]"
		}
	}
}

// weaker orders the providers of an encryption configuration.
func weaker(a, b string) bool {
	order := []string{"", "identity", "aescbc", "aesgcm", "kms-v1", "secretbox", "kms-v2"}
	return slices.Index(order, a) < slices.Index(order, b)
}
