package facts

import (
	"slices"
	"strconv"
	"strings"
)

// knownFlags are the flags that checks ask about, by component. Others are not
// kept: an unknown flag might hold a secret.
func knownFlags(component string) []string {
	switch component {
	case "kube-apiserver":
		return []string{
			"anonymous-auth", "authentication-config", "token-auth-file", "basic-auth-file", "authorization-mode", "authorization-config",
			"enable-admission-plugins", "disable-admission-plugins", "admission-control", "admission-control-config-file", "kubelet-certificate-authority",
			"kubelet-client-certificate", "kubelet-client-key", "kubelet-https", "insecure-port", "insecure-bind-address", "secure-port", "audit-log-path",
			"audit-webhook-config-file", "audit-policy-file", "audit-log-maxage", "audit-log-maxbackup", "audit-log-maxsize",
			"encryption-provider-config", "profiling", "service-account-lookup", "service-account-key-file", "service-account-signing-key-file",
			"service-account-signing-endpoint", "service-account-extend-token-expiration", "tls-min-version", "tls-cipher-suites", "tls-cert-file",
			"tls-private-key-file", "cert-dir", "etcd-servers", "etcd-certfile", "etcd-keyfile", "etcd-cafile", "client-ca-file", "bind-address", "feature-gates",
			"oidc-issuer-url", "request-timeout", "allow-privileged", "requestheader-client-ca-file", "openshift-config",
		}
	case "kube-controller-manager":
		return []string{
			"profiling", "use-service-account-credentials", "service-account-private-key-file", "root-ca-file", "bind-address", "feature-gates",
			"terminated-pod-gc-threshold", "tls-min-version", "tls-cipher-suites", "authentication-kubeconfig", "config", "openshift-config",
			"secure-port", "port", "address",
		}
	case "kube-scheduler":
		return []string{"profiling", "bind-address", "config", "tls-min-version", "tls-cipher-suites", "secure-port", "port", "address"}
	case "etcd":
		return []string{
			"cert-file", "key-file", "client-cert-auth", "auto-tls", "trusted-ca-file", "peer-cert-file", "peer-key-file", "peer-client-cert-auth",
			"peer-auto-tls", "peer-trusted-ca-file", "listen-client-urls", "advertise-client-urls", "listen-peer-urls", "listen-metrics-urls", "data-dir",
			"cipher-suites", "tls-min-version", "config-file", "initial-cluster", "initial-advertise-peer-urls",
		}
	case "kube-proxy":
		return []string{"metrics-bind-address", "config", "bind-address", "hostname-override", "profiling"}
	case "kubelet":
		return []string{
			"config", "config-dir", "kubeconfig", "bootstrap-kubeconfig", "anonymous-auth", "authorization-mode", "read-only-port", "client-ca-file",
			"hostname-override", "tls-cert-file", "tls-private-key-file", "tls-min-version", "tls-cipher-suites", "rotate-certificates",
			"rotate-server-certificates", "protect-kernel-defaults", "streaming-connection-idle-timeout", "event-qps", "make-iptables-util-chains",
			"pod-max-pids", "seccomp-default", "allowed-unsafe-sysctls", "feature-gates", "manifest-url", "pod-manifest-path", "container-runtime-endpoint",
			"enable-debugging-handlers", "cloud-provider",
		}
	case "k3s":
		return []string{
			"server", "agent", "write-kubeconfig-mode", "secrets-encryption", "secrets-encryption-provider", "protect-kernel-defaults", "disable-network-policy", "disable",
			"kube-apiserver-arg", "kubelet-arg", "kube-controller-manager-arg", "selinux", "token-file", "agent-token-file", "agent-token", "token", "profile",
			"flannel-backend", "cluster-init", "datastore-endpoint", "tls-san", "rootless",
		}
	default:
		return nil
	}
}

// valuelessFlags are flags whose value is a secret or may hold one: only that
// they are given is kept.
func valuelessFlags() []string { return []string{"token", "agent-token", "datastore-endpoint"} }

// Given is the value of a flag of which only that it is given is kept.
const Given = "(given)"

// ParseFlags reads the command line of a component: kube-apiserver,
// kube-controller-manager, kube-scheduler, etcd, kube-proxy, kubelet or k3s
// (RKE2 too); of any other nothing is kept. base is where the command line
// stands, so that the path of args[2] is "base[2]". A flag that is given twice
// has its values joined by commas; a switch without a value is "true".
func ParseFlags(component string, args []string, base string) []Flag {
	known := knownFlags(component)
	var out []Flag
	for i := 0; i < len(args); i++ {
		flag, ok := strings.CutPrefix(args[i], "-")
		path := base + "[" + strconv.Itoa(i) + "]"
		if !ok {
			if i == 0 && slices.Contains(known, args[0]) { // k3s: the sub-command
				out = append(out, Flag{Name: args[0], Value: "true", Path: path})
			}
			continue
		}
		key, value, given := strings.Cut(strings.TrimPrefix(flag, "-"), "=")
		if !given {
			value = "true"
			if i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				value = args[i+1]
				i++
			}
		}
		if slices.Contains(known, key) {
			out = AddFlag(out, Flag{Name: key, Value: value, Path: path})
		}
	}
	return out
}

// KeepsFlag tells whether facts keep this flag of the component. It is for those
// who read flags from elsewhere than a command line: the keys of k3s's
// config.yaml, the variables of etcd.
func KeepsFlag(component, name string) bool { return slices.Contains(knownFlags(component), name) }

// AddFlag adds a flag to those of a component. A value that may hold a secret is
// dropped; one that is there already gets the value joined by a comma.
func AddFlag(flags []Flag, f Flag) []Flag {
	switch {
	case slices.Contains(valuelessFlags(), f.Name):
		f.Value = Given
	case f.Name == "manifest-url":
		f.Value = schemeAndHost(f.Value)
	}
	if at := slices.IndexFunc(flags, func(g Flag) bool { return g.Name == f.Name }); at >= 0 {
		flags[at].Value += "," + f.Value
		return flags
	}
	// Copies, so that a few words do not keep the whole command line.
	return append(flags, Flag{Name: strings.Clone(f.Name), Value: strings.Clone(f.Value), Path: f.Path})
}

// FlagOf looks a flag up.
func FlagOf(flags []Flag, name string) (value string, ok bool) {
	for i := range flags {
		if flags[i].Name == name {
			return flags[i].Value, true
		}
	}
	return "", false
}

// schemeAndHost cuts an address down to what cannot be secret: a path and a
// user may be.
func schemeAndHost(url string) string {
	scheme, rest, found := strings.Cut(url, "://")
	if !found {
		return ""
	}
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, "?")
	return scheme + "://" + host[strings.LastIndexByte(host, '@')+1:]
}
