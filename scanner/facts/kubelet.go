package facts

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Kubelet is the configuration of a kubelet with its defaults filled in: as its
// endpoint configz gives it, or as its command line and files say.
type Kubelet struct {
	AnonymousAuth     bool   `json:"anonymous_auth"`
	AuthorizationMode string `json:"authorization_mode"`
	ReadOnlyPort      int    `json:"read_only_port"`
	ClientCAFile      string `json:"client_ca_file"`
	// ServerTLSBootstrap, and the files of a serving certificate that was given.
	ServerTLSBootstrap bool     `json:"server_tls_bootstrap"`
	TLSCertFile        string   `json:"tls_cert_file"`
	TLSPrivateKeyFile  string   `json:"tls_private_key_file"`
	TLSMinVersion      string   `json:"tls_min_version"`
	TLSCipherSuites    []string `json:"tls_cipher_suites"`
	RotateCertificates bool     `json:"rotate_certificates"`
	// RotateServerGate is the feature gate RotateKubeletServerCertificate: unset, true, false.
	RotateServerGate      string   `json:"rotate_server_gate"`
	SeccompDefault        bool     `json:"seccomp_default"`
	PodPidsLimit          int64    `json:"pod_pids_limit"` // -1 for none
	AllowedUnsafeSysctls  []string `json:"allowed_unsafe_sysctls"`
	ProtectKernelDefaults bool     `json:"protect_kernel_defaults"`
	IPTablesUtilChains    bool     `json:"iptables_util_chains"`
	// StreamingIdleSeconds is streamingConnectionIdleTimeout; 0 is never.
	StreamingIdleSeconds int  `json:"streaming_idle_seconds"`
	EventRecordQPS       int  `json:"event_record_qps"` // 0 is no bound
	DebuggingHandlers    bool `json:"debugging_handlers"`
	// DebugFlagsHandler and ProfilingHandler are on by default, but answer only where DebuggingHandlers is on too.
	DebugFlagsHandler bool   `json:"debug_flags_handler"`
	ProfilingHandler  bool   `json:"profiling_handler"`
	SystemLogHandler  bool   `json:"system_log_handler"`
	SystemLogQuery    bool   `json:"system_log_query"`
	StaticPodURL      string `json:"static_pod_url"` // scheme and host only
	PullVerification  string `json:"pull_verification"`
	FailCgroupV1      bool   `json:"fail_cgroup_v1"`
}

// kubeletConfiguration is what we read of kubelet.config.k8s.io/v1beta1.
type kubeletConfiguration struct {
	Authentication struct {
		Anonymous struct {
			Enabled *bool `json:"enabled"`
		} `json:"anonymous"`
		X509 struct {
			ClientCAFile string `json:"clientCAFile"`
		} `json:"x509"`
	} `json:"authentication"`
	Authorization struct {
		Mode string `json:"mode"`
	} `json:"authorization"`
	ReadOnlyPort            int             `json:"readOnlyPort"`
	ServerTLSBootstrap      bool            `json:"serverTLSBootstrap"`
	TLSCertFile             string          `json:"tlsCertFile"`
	TLSPrivateKeyFile       string          `json:"tlsPrivateKeyFile"`
	TLSMinVersion           string          `json:"tlsMinVersion"`
	TLSCipherSuites         []string        `json:"tlsCipherSuites"`
	RotateCertificates      bool            `json:"rotateCertificates"`
	FeatureGates            map[string]bool `json:"featureGates"`
	SeccompDefault          *bool           `json:"seccompDefault"`
	PodPidsLimit            *int64          `json:"podPidsLimit"`
	AllowedUnsafeSysctls    []string        `json:"allowedUnsafeSysctls"`
	ProtectKernelDefaults   bool            `json:"protectKernelDefaults"`
	MakeIPTablesUtilChains  *bool           `json:"makeIPTablesUtilChains"`
	StreamingIdle           string          `json:"streamingConnectionIdleTimeout"`
	EventRecordQPS          *int            `json:"eventRecordQPS"`
	EnableDebuggingHandlers *bool           `json:"enableDebuggingHandlers"`
	EnableDebugFlagsHandler *bool           `json:"enableDebugFlagsHandler"`
	EnableProfilingHandler  *bool           `json:"enableProfilingHandler"`
	EnableSystemLogHandler  *bool           `json:"enableSystemLogHandler"`
	EnableSystemLogQuery    *bool           `json:"enableSystemLogQuery"`
	StaticPodURL            string          `json:"staticPodURL"`
	PullVerification        string          `json:"imagePullCredentialsVerificationPolicy"`
	FailCgroupV1            *bool           `json:"failCgroupV1"`
}

// ReadConfigz reads the answer of the kubelet's endpoint /configz, in which the
// kubelet has filled in its defaults.
func ReadConfigz(raw []byte) (Kubelet, error) {
	var z struct {
		Config *kubeletConfiguration `json:"kubeletconfig"`
	}
	if err := json.Unmarshal(raw, &z); err != nil {
		return Kubelet{}, fmt.Errorf("read configz: %w", err)
	}
	if z.Config == nil {
		return Kubelet{}, errors.New("read configz: the answer holds no kubeletconfig")
	}
	k := z.Config.kubelet()
	k.AuthorizationMode = z.Config.Authorization.Mode
	if d, err := time.ParseDuration(z.Config.StreamingIdle); err == nil {
		k.StreamingIdleSeconds = int(d.Seconds())
	}
	return k, nil
}

// ReadKubelet puts together how a kubelet runs: the flags of its command line,
// and its configuration files as JSON in the order in which it reads them, that
// of --config first. Without any, the defaults are those of the flags, which let
// everybody in. A flag outweighs the files. The error is that a file is no JSON.
func ReadKubelet(flags []Flag, files ...[]byte) (Kubelet, error) {
	var c kubeletConfiguration
	for i, f := range files {
		if err := json.Unmarshal(f, &c); err != nil {
			return Kubelet{}, fmt.Errorf("read the kubelet's configuration file %d of %d: %w", i+1, len(files), err)
		}
	}
	k := c.kubelet()
	// The kubelet takes 0 in a file for "not set".
	if d, err := time.ParseDuration(c.StreamingIdle); err == nil && d != 0 {
		k.StreamingIdleSeconds = int(d.Seconds())
	}
	if len(files) == 0 {
		k.AnonymousAuth, k.AuthorizationMode, k.ReadOnlyPort = true, "AlwaysAllow", 10255
	}
	for _, f := range flags {
		k.apply(f)
	}
	return k, nil
}

// apply lets a flag outweigh what files say.
func (k *Kubelet) apply(f Flag) {
	on := f.Value == "true"
	number, err := strconv.Atoi(f.Value)
	isNumber := err == nil
	switch f.Name {
	case "anonymous-auth":
		k.AnonymousAuth = on
	case "authorization-mode":
		k.AuthorizationMode = f.Value
	case "client-ca-file":
		k.ClientCAFile = f.Value
	case "tls-cert-file":
		k.TLSCertFile = f.Value
	case "tls-private-key-file":
		k.TLSPrivateKeyFile = f.Value
	case "tls-min-version":
		k.TLSMinVersion = f.Value
	case "tls-cipher-suites":
		k.TLSCipherSuites = strings.Split(f.Value, ",")
	case "rotate-certificates":
		k.RotateCertificates = on
	case "rotate-server-certificates":
		k.ServerTLSBootstrap = on
	case "protect-kernel-defaults":
		k.ProtectKernelDefaults = on
	case "make-iptables-util-chains":
		k.IPTablesUtilChains = on
	case "seccomp-default":
		k.SeccompDefault = on
	case "enable-debugging-handlers":
		k.DebuggingHandlers = on
	case "allowed-unsafe-sysctls":
		k.AllowedUnsafeSysctls = strings.Split(f.Value, ",")
	case "manifest-url":
		k.StaticPodURL = schemeAndHost(f.Value)
	case "streaming-connection-idle-timeout":
		if d, err := time.ParseDuration(f.Value); err == nil {
			k.StreamingIdleSeconds = int(d.Seconds())
		}
	case "read-only-port":
		if isNumber {
			k.ReadOnlyPort = number
		}
	case "event-qps":
		if isNumber {
			k.EventRecordQPS = number
		}
	case "pod-max-pids":
		if isNumber {
			k.PodPidsLimit = int64(number)
		}
	case "feature-gates":
		for gate := range strings.SplitSeq(f.Value, ",") {
			if name, value, _ := strings.Cut(gate, "="); name == "RotateKubeletServerCertificate" {
				k.RotateServerGate = value
			}
		}
	}
}

// kubelet fills in the defaults of a configuration file.
func (c *kubeletConfiguration) kubelet() Kubelet {
	k := Kubelet{
		AnonymousAuth: or(c.Authentication.Anonymous.Enabled, false), AuthorizationMode: "Webhook", ReadOnlyPort: c.ReadOnlyPort,
		ClientCAFile: c.Authentication.X509.ClientCAFile, ServerTLSBootstrap: c.ServerTLSBootstrap, TLSCertFile: c.TLSCertFile,
		TLSPrivateKeyFile: c.TLSPrivateKeyFile, TLSMinVersion: c.TLSMinVersion, TLSCipherSuites: c.TLSCipherSuites,
		RotateCertificates: c.RotateCertificates, RotateServerGate: "unset", SeccompDefault: or(c.SeccompDefault, false),
		PodPidsLimit: or(c.PodPidsLimit, -1), AllowedUnsafeSysctls: c.AllowedUnsafeSysctls, ProtectKernelDefaults: c.ProtectKernelDefaults,
		IPTablesUtilChains: or(c.MakeIPTablesUtilChains, true), EventRecordQPS: or(c.EventRecordQPS, 50), StreamingIdleSeconds: 4 * 3600,
		DebuggingHandlers: or(c.EnableDebuggingHandlers, true), DebugFlagsHandler: or(c.EnableDebugFlagsHandler, true),
		ProfilingHandler: or(c.EnableProfilingHandler, true), SystemLogHandler: or(c.EnableSystemLogHandler, true), SystemLogQuery: or(c.EnableSystemLogQuery, false),
		StaticPodURL: schemeAndHost(c.StaticPodURL), PullVerification: c.PullVerification, FailCgroupV1: or(c.FailCgroupV1, false),
	}
	if c.Authorization.Mode != "" {
		k.AuthorizationMode = c.Authorization.Mode
	}
	if g, ok := c.FeatureGates["RotateKubeletServerCertificate"]; ok {
		k.RotateServerGate = strconv.FormatBool(g)
	}
	return k
}

// or is the value behind p, or otherwise where there is none.
func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
