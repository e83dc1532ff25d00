package facts

// Image is what policies see of a container image on one platform. Names of
// layers are indices into Layers, -1 where no layer is known.
type Image struct {
	Registry   string `json:"registry"`   // "docker.io"; empty for an image without a registry (an archive with no tag)
	Repository string `json:"repository"` // "library/nginx"
	Source     string `json:"source"`     // registry, docker, podman, docker-archive, oci-layout or sbom

	OS           string `json:"os"`           // "linux", "windows", from the image's config
	Architecture string `json:"architecture"` // "amd64"
	Variant      string `json:"variant"`      // "v8"; empty for most
	Created      string `json:"created"`      // RFC 3339 in UTC; missing where the config has none

	Config          ImageConfig      `json:"config"`
	Base            BaseImage        `json:"base"`
	Layers          []Layer          `json:"layers"`
	History         []HistoryStep    `json:"history"`
	Distribution    Distribution     `json:"distribution"`
	Packages        []Package        `json:"packages"`
	Vulnerabilities []Vulnerability  `json:"vulnerabilities"`
	Secrets         []Secret         `json:"secrets"`        // in files of any layer
	ConfigSecrets   []ConfigSecret   `json:"config_secrets"` // in env, labels, commands and history
	PrivilegedFiles []PrivilegedFile `json:"privileged_files"`
	WritableFiles   []WritableFile   `json:"writable_files"`
	Users           []User           `json:"users"`  // of /etc/passwd, joined with /etc/shadow
	Groups          []Group          `json:"groups"` // of /etc/group
	SudoRules       []SudoRule       `json:"sudo_rules"`
	Tools           []Tool           `json:"tools"`
	SSHStarters     []SSHStarter     `json:"ssh_starters"`
	Malware         []Malware        `json:"malware"`
	Signature       Signature        `json:"signature"`
}

// ImageConfig is the runtime configuration of the image. Values of environment
// variables and labels are left out: they may be secrets that no rule knows.
type ImageConfig struct {
	User         string        `json:"user"`     // as written; empty means root on Linux
	UserUID      int           `json:"user_uid"` // the user's number, names looked up in the image's /etc/passwd; missing where it has no such name
	EnvNames     []string      `json:"env_names"`
	Path         []string      `json:"path"` // directories of PATH, the runtime's default where unset
	LabelNames   []string      `json:"label_names"`
	Entrypoint   []string      `json:"entrypoint"` // secrets masked
	Cmd          []string      `json:"cmd"`        // secrets masked
	WorkingDir   string        `json:"working_dir"`
	ExposedPorts []ExposedPort `json:"exposed_ports"`
	Volumes      []string      `json:"volumes"`
	Healthcheck  string        `json:"healthcheck"` // defined, none (switched off by NONE) or absent
}

// ExposedPort is an EXPOSE of the image.
type ExposedPort struct {
	Number   int    `json:"number"`
	Protocol string `json:"protocol"` // tcp, udp or sctp
}

// BaseImage is what the labels org.opencontainers.image.base.* say; the whole is
// missing where the image has neither.
type BaseImage struct {
	Name   string `json:"name"`   // reference as labelled
	Tag    string `json:"tag"`    // tag of Name; empty where it has none
	Digest string `json:"digest"` // base.digest, or the digest of Name; empty where there is none
}

// Layer is one layer, lowest first.
type Layer struct {
	Digest    string `json:"digest"`  // of the blob as stored
	DiffID    string `json:"diff_id"` // of the uncompressed tar
	Size      int64  `json:"size"`    // compressed bytes
	MediaType string `json:"media_type"`
	Step      int    `json:"step"` // index into History; -1 where history does not tell
}

// HistoryStep is one step of the build, oldest first.
type HistoryStep struct {
	Instruction string `json:"instruction"` // RUN, COPY, ADD, ENV …, upper case; "" where it cannot be told
	Arguments   string `json:"arguments"`   // without the shell prefix and BuildKit's marks, secrets masked
	Comment     string `json:"comment"`
	Empty       bool   `json:"empty"` // made no layer
	Layer       int    `json:"layer"` // index into Layers; -1 where Empty or unknown
}

// Distribution is the operating system of a file tree. Family "none" is an image
// that has no distribution (scratch, distroless static): then nothing is missing.
type Distribution struct {
	Family    string `json:"family"`      // debian, ubuntu, alpine, redhat … as trivy names them; "none"
	Version   string `json:"version"`     // "12.4"
	Name      string `json:"name"`        // PRETTY_NAME
	EndOfLife bool   `json:"end_of_life"` // vendor support had ended at the time of collection; missing where no table knows the release

	RepositoryRelease string `json:"repository_release"` // the release that the package repositories name where it may differ from Version ("edge" of Alpine); empty where none does
	Supplier          string `json:"supplier"`           // third party that rebuilt the OS packages, as trivy names it ("rapidfort"); empty for most
	Extended          bool   `json:"extended"`           // enrolled in the vendor's extended maintenance (Ubuntu ESM)
}

// Package is one installed package. The fields beyond name, version and type are
// what advisories are matched by; they are empty where a kind has no such thing.
type Package struct {
	Type          string   `json:"type"`    // as trivy names it: an OS family ("debian") or an application type ("node-pkg", "gobinary", "jar" …)
	Class         string   `json:"class"`   // "os" or "language"
	Name          string   `json:"name"`    // "org.apache:commons" for Java
	Version       string   `json:"version"` // without epoch and release for OS packages
	Epoch         int      `json:"epoch"`
	Release       string   `json:"release"`
	Arch          string   `json:"arch"`
	SourceName    string   `json:"source_name"`
	SourceVersion string   `json:"source_version"`
	SourceEpoch   int      `json:"source_epoch"`
	SourceRelease string   `json:"source_release"`
	Modularity    string   `json:"modularity"` // rpm module label
	Repository    string   `json:"repository"` // where the OS's own records name one
	ContentSets   []string `json:"content_sets"`
	BuildNVR      string   `json:"build_nvr"`   // name-version-release of the Red Hat image build that brought it; empty elsewhere
	BuildArch     string   `json:"build_arch"`  // architecture of that build
	ThirdParty    bool     `json:"third_party"` // an OS package that the distribution's vendor did not ship, so its advisories do not describe it
	Purl          string   `json:"purl"`
	Path          string   `json:"path"`   // file in the tree that proves it; for OS packages the database
	Binary        string   `json:"binary"` // the file that holds it, where Path is inside an archive or is one
	Digest        string   `json:"digest"` // "sha1:…" of a jar, where known
	Licenses      []string `json:"licenses"`
	Maintainer    string   `json:"maintainer"`
	Layer         int      `json:"layer"`
}

// Vulnerability is a known vulnerability of one package.
type Vulnerability struct {
	ID             string   `json:"id"`      // CVE where there is one
	Aliases        []string `json:"aliases"` // the vendor's ids of the same: DSA, RHSA, GHSA
	Package        string   `json:"package"`
	PackageType    string   `json:"package_type"`
	Version        string   `json:"version"` // installed, complete (epoch, release)
	FixedVersion   string   `json:"fixed_version"`
	Status         string   `json:"status"`          // fixed, affected, will_not_fix, fix_deferred, end_of_life, under_investigation, unknown
	Severity       string   `json:"severity"`        // critical, high, medium, low or unknown
	SeveritySource string   `json:"severity_source"` // whose severity: "debian", "nvd", "ghsa" …
	Score          float64  `json:"score"`           // CVSS base score, 0 where none
	Vector         string   `json:"vector"`          // CVSS vector, empty where none
	NetworkVector  bool     `json:"network_vector"`  // the vector says AV:N
	KEV            bool     `json:"kev"`             // on the list of known exploited vulnerabilities; missing where no list is configured
	EPSS           float64  `json:"epss"`            // probability of exploitation in 30 days, 0 to 1; missing where no file is configured
	Title          string   `json:"title"`
	References     []string `json:"references"`
	PrimaryURL     string   `json:"primary_url"`
	DataSource     string   `json:"data_source"` // who said that this package is affected
	Published      string   `json:"published"`   // RFC 3339, empty where unknown
	Purl           string   `json:"purl"`
	Path           string   `json:"path"`
	Layer          int      `json:"layer"`
}

// Secret is a credential in a file: where it is, never what it is.
type Secret struct {
	Rule      string `json:"rule"`     // id of the rule that found it
	Category  string `json:"category"` // "AWS", "private-key" …
	Title     string `json:"title"`
	Severity  string `json:"severity"`
	Path      string `json:"path"`
	StartLine int    `json:"start_line"`
	EndLine   int    `json:"end_line"`
	Length    int    `json:"length"` // bytes
	Layer     int    `json:"layer"`
	Deleted   bool   `json:"deleted"`    // a later layer deletes or replaces the file
	DeletedIn int    `json:"deleted_in"` // that layer; -1 where not Deleted
}

// ConfigSecret is a credential in the image's configuration.
type ConfigSecret struct {
	Where    string `json:"where"` // env, label, entrypoint, cmd or history
	Name     string `json:"name"`  // variable or label; empty elsewhere
	Index    int    `json:"index"` // of the env, label, argument or history step
	Rule     string `json:"rule"`  // rule id, or "high-entropy"
	Category string `json:"category"`
	Title    string `json:"title"`
	Severity string `json:"severity"`
	Length   int    `json:"length"`
}

// PrivilegedFile is a file that gives rights to whoever runs it.
type PrivilegedFile struct {
	Path         string   `json:"path"`
	Mode         string   `json:"mode"` // four octal digits: "4755"
	UID          int      `json:"uid"`
	GID          int      `json:"gid"`
	SetUID       bool     `json:"setuid"`
	SetGID       bool     `json:"setgid"`
	Capabilities []string `json:"capabilities"` // of security.capability: "cap_net_raw"
	Layer        int      `json:"layer"`
}

// WritableFile is a file or directory that anybody may write and that stands on
// a path from which something is run or trusted.
type WritableFile struct {
	Path      string `json:"path"`
	Mode      string `json:"mode"`
	Directory bool   `json:"directory"`
	Sticky    bool   `json:"sticky"`
	Trusted   string `json:"trusted"` // why it matters: entrypoint, path, etc, library or interpreter
	Layer     int    `json:"layer"`
}

// User is an account.
type User struct {
	Name       string `json:"name"`
	UID        int    `json:"uid"`
	GID        int    `json:"gid"`
	Home       string `json:"home"`
	Shell      string `json:"shell"`
	LoginShell bool   `json:"login_shell"` // Shell lets one log in
	Password   string `json:"password"`    // empty, locked, set, or none (no shadow entry)
}

// Group is a group of accounts.
type Group struct {
	Name string `json:"name"`
	GID  int    `json:"gid"`
}

// SudoRule is a rule of sudo or doas that lets somebody become another user.
type SudoRule struct {
	Path       string `json:"path"`
	Line       int    `json:"line"`
	Subject    string `json:"subject"` // user, "%group" or "ALL"
	NoPassword bool   `json:"no_password"`
	Runtime    bool   `json:"runtime"` // it applies to the image's runtime user
	Layer      int    `json:"layer"`
}

// Tool is a program that helps whoever breaks in.
type Tool struct {
	Name      string `json:"name"`
	Kind      string `json:"kind"` // compiler, package-manager, shell, debugger, scanner, container-client, ssh-server or sudo
	Path      string `json:"path"`
	Reachable bool   `json:"reachable"` // the runtime user may execute it
	Layer     int    `json:"layer"`
}

// SSHStarter is something that starts an SSH daemon in the container.
type SSHStarter struct {
	Where string `json:"where"` // entrypoint, cmd or a file
	Path  string `json:"path"`  // the file, or empty
	Layer int    `json:"layer"`
}

// Malware is a file whose hash is on the configured list.
type Malware struct {
	Path    string `json:"path"`
	SHA256  string `json:"sha256"`
	Name    string `json:"name"` // what the list calls it
	Layer   int    `json:"layer"`
	Deleted bool   `json:"deleted"` // a later layer deletes or replaces the file
}

// Signature is what the registry keeps about the digest's origin.
type Signature struct {
	Present    bool     `json:"present"`    // a signature is attached (cosign's tag scheme or an OCI referrer)
	Verified   bool     `json:"verified"`   // one verifies with the configured key; missing where none is configured
	Kinds      []string `json:"kinds"`      // cosign, notation, sigstore-bundle
	SBOM       bool     `json:"sbom"`       // an SBOM attestation is attached
	Provenance bool     `json:"provenance"` // a provenance attestation is attached
	Problem    string   `json:"problem"`    // why verification did not succeed; empty where it did or was not tried
}
