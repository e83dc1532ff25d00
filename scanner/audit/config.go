package audit

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
	"go.yaml.in/yaml/v3"
)

// Config is the part of postscan.yaml that audits are configured in.
type Config struct {
	Audits        []Audit   `yaml:"audits"`
	Notifications []Channel `yaml:"notifications"`
}

// Audit is one target that is scanned again and again.
type Audit struct {
	Name string `yaml:"name" json:"name"` // letters, digits, "-", "_", "."
	// Target is what to look at.
	Target TargetSpec `yaml:"target" json:"target"`
	// Schedule is a cron expression of five fields, or @hourly, @daily, @weekly,
	// @every 6h; empty for an audit that only runs when it is asked to.
	Schedule string `yaml:"schedule" json:"schedule"`
	// TimeZone is a name as Europe/Berlin that the schedule is meant in; UTC where empty.
	TimeZone string `yaml:"timezone" json:"timezone"`
	// Timeout ends one run, as 45m; 0 takes that of the target's kind.
	Timeout    Duration  `yaml:"timeout" json:"timeout"`
	Profile    string    `yaml:"profile" json:"profile"` // a file
	Frameworks []string  `yaml:"frameworks" json:"frameworks"`
	Waivers    []string  `yaml:"waivers" json:"waivers"` // files
	VEX        []string  `yaml:"vex" json:"vex"`         // files
	Notify     []string  `yaml:"notify" json:"notify"`   // names of notifications
	Retention  Retention `yaml:"retention" json:"retention"`
}

// Retention is what prune keeps of an audit's runs and reports; the history of its
// findings is kept with them. 0 keeps all.
type Retention struct {
	Runs int `yaml:"runs" json:"runs"` // at least so many of the latest
	Days int `yaml:"days" json:"days"` // and all that are younger
}

// TargetSpec names one target; exactly one field is set.
type TargetSpec struct {
	Image     *ImageSpec     `yaml:"image" json:"image,omitempty"`
	Registry  *RegistrySpec  `yaml:"registry" json:"registry,omitempty"`
	Cluster   *ClusterSpec   `yaml:"cluster" json:"cluster,omitempty"`
	Manifests *ManifestsSpec `yaml:"manifests" json:"manifests,omitempty"`
	VM        *VMSpec        `yaml:"vm" json:"vm,omitempty"`
	Engine    *EngineSpec    `yaml:"engine" json:"engine,omitempty"`
	Upload    *UploadSpec    `yaml:"upload" json:"upload,omitempty"`
}

// ImageSpec are images by reference.
type ImageSpec struct {
	References []string `yaml:"references" json:"references"`
	// List is a file with a reference a line; "#" begins a comment.
	List     string `yaml:"list" json:"list"`
	Platform string `yaml:"platform" json:"platform"`
}

// RegistrySpec is a repository whose tags are looked up at every run.
type RegistrySpec struct {
	Repository string   `yaml:"repository" json:"repository"`
	Tags       []string `yaml:"tags" json:"tags"` // patterns as v1.*; all where empty
	// Limit bounds the images of one run; 100 where 0. More tags are an error, not a silence.
	Limit    int    `yaml:"limit" json:"limit"`
	Platform string `yaml:"platform" json:"platform"`
}

// ClusterSpec is a cluster of a kubeconfig; the one that postscan runs in where all is empty.
type ClusterSpec struct {
	Kubeconfig        string   `yaml:"kubeconfig" json:"kubeconfig"`
	Context           string   `yaml:"context" json:"context"`
	Namespace         string   `yaml:"namespace" json:"namespace"`
	ExcludeNamespaces []string `yaml:"exclude_namespaces" json:"exclude_namespaces"`
}

// ManifestsSpec are folders and files of manifests.
type ManifestsSpec struct {
	Paths  []string `yaml:"paths" json:"paths"`
	Values []string `yaml:"values" json:"values"` // for Helm charts
}

// VMSpec is this machine, or a disk.
type VMSpec struct {
	Root string `yaml:"root" json:"root"` // "/" where empty
	IMDS bool   `yaml:"imds" json:"imds"`
}

// EngineSpec are engines; those that are found where Hosts is empty.
type EngineSpec struct {
	Hosts []string `yaml:"hosts" json:"hosts"`
}

// UploadSpec is a target that others scan, who upload their reports.
type UploadSpec struct {
	// Every is how often a report is expected, as 26h; a target that sent none for
	// that long is stale. 0 expects none.
	Every Duration `yaml:"every" json:"every"`
}

// Kind is the target's kind: image, registry, cluster, manifests, vm, engine or upload.
// Each has a queue of its own, so that a slow one does not hold up the others.
func (t *TargetSpec) Kind() string {
	if kinds := t.kinds(); len(kinds) == 1 {
		return kinds[0]
	}
	return ""
}

// Kinds are the kinds of targets.
func Kinds() []string {
	return []string{"image", "registry", "cluster", "manifests", "vm", "engine", "upload"}
}

func (t *TargetSpec) kinds() []string {
	var out []string
	for i, set := range []bool{t.Image != nil, t.Registry != nil, t.Cluster != nil, t.Manifests != nil, t.VM != nil, t.Engine != nil, t.Upload != nil} {
		if set {
			out = append(out, Kinds()[i])
		}
	}
	return out
}

// Channel is where changes are told. Exactly one of its kinds is set. Secrets stand
// in variables, whose names the fields ending in _env give.
type Channel struct {
	Name    string          `yaml:"name" json:"name"`
	Webhook *WebhookChannel `yaml:"webhook" json:"webhook,omitempty"`
	Slack   *SlackChannel   `yaml:"slack" json:"slack,omitempty"`
	Email   *EmailChannel   `yaml:"email" json:"email,omitempty"`
	File    *FileChannel    `yaml:"file" json:"file,omitempty"`
	// MinSeverity leaves out changes below it; all where empty.
	MinSeverity string `yaml:"min_severity" json:"min_severity"`
	// Template is a file of Go's text/template for the body; the kind's own where empty.
	Template string `yaml:"template" json:"template"`
}

// WebhookChannel posts JSON, signed with HMAC-SHA-256 where there is a secret.
type WebhookChannel struct {
	URL       string `yaml:"url" json:"url"`
	URLEnv    string `yaml:"url_env" json:"url_env"`
	SecretEnv string `yaml:"secret_env" json:"secret_env"`
}

// SlackChannel posts to an incoming webhook of Slack, or of what speaks like it.
type SlackChannel struct {
	URLEnv string `yaml:"url_env" json:"url_env"`
}

// EmailChannel sends mail by SMTP.
type EmailChannel struct {
	Host        string   `yaml:"host" json:"host"` // host:port
	From        string   `yaml:"from" json:"from"`
	To          []string `yaml:"to" json:"to"`
	User        string   `yaml:"user" json:"user"`
	PasswordEnv string   `yaml:"password_env" json:"password_env"`
	// Plain allows a server without TLS; the password is never sent to one.
	Plain bool `yaml:"plain" json:"plain"`
}

// FileChannel appends JSON, one object a line.
type FileChannel struct {
	Path string `yaml:"path" json:"path"`
}

func (c *Channel) kinds() int {
	n := 0
	for _, set := range []bool{c.Webhook != nil, c.Slack != nil, c.Email != nil, c.File != nil} {
		if set {
			n++
		}
	}
	return n
}

// Duration is a time span, written as 45m.
type Duration time.Duration

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err == nil && v < 0 {
		err = errors.New("is negative")
	}
	*d = Duration(v)
	return err
}

// MarshalText implements [encoding.TextMarshaler].
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// ReadConfig reads the audits and notifications of a settings file; other settings
// in it are left alone. Every error names its line.
func ReadConfig(data []byte) (*Config, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, plainYAML(err)
	}
	if len(doc.Content) == 0 {
		return &Config{}, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: settings are a mapping", root.Line)
	}
	// What is not ours is taken out, so that the rest can be read strictly. Nodes
	// keep their lines, but a strict decoder reads text: blank lines stand for the others.
	own := make([]string, bytes.Count(data, []byte("\n"))+1)
	lines := strings.Split(string(data), "\n")
	for i := 0; i+1 < len(root.Content); i += 2 {
		if key := root.Content[i]; key.Value == "audits" || key.Value == "notifications" {
			end := len(lines)
			if i+2 < len(root.Content) {
				end = root.Content[i+2].Line - 1
			}
			copy(own[key.Line-1:end], lines[key.Line-1:end])
		}
	}
	var c Config
	dec := yaml.NewDecoder(strings.NewReader(strings.Join(own, "\n")))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil && err.Error() != "EOF" {
		return nil, plainYAML(err)
	}
	return &c, c.validate(root)
}

// plainYAML takes the Go types out of the errors of the YAML package.
func plainYAML(err error) error {
	text := strings.ReplaceAll(strings.TrimPrefix(err.Error(), "yaml: "), "unmarshal errors:\n  ", "")
	text = regexp.MustCompile(`(field \S+) not found in type audit\.\w+`).ReplaceAllString(text, "$1 is not known")
	text = regexp.MustCompile(` into (audit\.|\[\]|\*)?\S+`).ReplaceAllString(text, " does not fit here")
	return errors.New(text)
}

// validate holds the configuration to what it must be.
func (c *Config) validate(root *yaml.Node) error {
	var errs []error
	channels, names := map[string]bool{}, map[string]bool{}
	for i := range c.Notifications {
		ch := &c.Notifications[i]
		at := func(field string, err error) {
			errs = append(errs, fmt.Errorf("line %d: notification %q: %w", line(root, "notifications", i, field), ch.Name, err))
		}
		if !nameForm.MatchString(ch.Name) || channels[ch.Name] {
			at("name", errors.New("needs a name of its own, of letters, digits, dots and dashes"))
		}
		channels[ch.Name] = true
		if err := ch.validate(); err != nil {
			at("", err)
		}
	}
	for i := range c.Audits {
		a := &c.Audits[i]
		at := func(field string, err error) {
			errs = append(errs, fmt.Errorf("line %d: audit %q: %w", line(root, "audits", i, field), a.Name, err))
		}
		if !nameForm.MatchString(a.Name) || names[a.Name] {
			at("name", errors.New("needs a name of its own, of letters, digits, dots and dashes"))
		}
		names[a.Name] = true
		if err := a.Target.validate(); err != nil {
			at("target", err)
		}
		if _, err := a.location(); err != nil {
			at("timezone", err)
		}
		if _, err := a.next(time.Now()); err != nil {
			at("schedule", err)
		}
		if a.Target.Upload != nil && a.Schedule != "" {
			at("schedule", errors.New("its reports are uploaded, so it has no schedule; say with target: {upload: {every: 26h}} how often one is expected"))
		}
		if a.Retention.Days < 0 || a.Retention.Runs < 0 {
			at("retention", errors.New("retention is never negative; 0 keeps all"))
		}
		for _, n := range a.Notify {
			if !channels[n] {
				at("notify", fmt.Errorf("no notification is called %q", n))
			}
		}
	}
	return errors.Join(errs...)
}

func (t *TargetSpec) validate() error {
	switch kinds := t.kinds(); {
	case len(kinds) == 0:
		return fmt.Errorf("its target is none of %s; write for example target: {vm: {root: /}}", strings.Join(Kinds(), ", "))
	case len(kinds) > 1:
		return fmt.Errorf("its target is %s; make one audit for each", strings.Join(kinds, " and "))
	}
	switch {
	case t.Image != nil && len(t.Image.References) == 0 && t.Image.List == "":
		return errors.New("image names neither references nor a list")
	case t.Manifests != nil && len(t.Manifests.Paths) == 0:
		return errors.New("manifests names no paths")
	case t.Registry != nil:
		if t.Registry.Repository == "" {
			return errors.New("registry names no repository")
		}
		for _, p := range t.Registry.Tags {
			if _, err := path.Match(p, ""); err != nil {
				return fmt.Errorf("the pattern of tags %q is malformed", p)
			}
		}
	}
	return nil
}

func (c *Channel) validate() error {
	switch {
	case c.kinds() != 1:
		return errors.New("is exactly one of webhook, slack, email, file")
	case c.Webhook != nil && (c.Webhook.URL == "") == (c.Webhook.URLEnv == ""):
		return errors.New("webhook has either url or url_env")
	case c.Slack != nil && c.Slack.URLEnv == "":
		return errors.New("slack has url_env, the name of the variable with its URL, which is a secret")
	case c.Email != nil && (c.Email.Host == "" || c.Email.From == "" || len(c.Email.To) == 0):
		return errors.New("email has host, from and to")
	case c.File != nil && c.File.Path == "":
		return errors.New("file has a path")
	case c.MinSeverity != "" && !slices.Contains([]string{"info", "low", "medium", "high", "critical"}, c.MinSeverity):
		return fmt.Errorf("min_severity %q is none of info, low, medium, high, critical", c.MinSeverity)
	}
	return nil
}

// line finds the line of a field of an item of a list; of the item where it has
// no such field.
func line(root *yaml.Node, list string, item int, field string) int {
	at := value(root, list)
	if at == nil || item >= len(at.Content) {
		return root.Line
	}
	at = at.Content[item]
	if v := value(at, field); v != nil {
		return v.Line
	}
	return at.Line
}

func value(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func (a *Audit) location() (*time.Location, error) {
	loc, err := time.LoadLocation(a.TimeZone) // "" is UTC
	if err != nil {
		return nil, fmt.Errorf("its time zone %q is not known; write one as Europe/Berlin", a.TimeZone)
	}
	return loc, nil
}

// next is when the schedule is due for the first time after t; zero without a
// schedule. A time of day that daylight saving skips moves behind the gap; one that
// it repeats counts once, the first time. A schedule of every hour (its field of
// hours begins with "*"), or "@every", goes by the time that really passes.
func (a *Audit) next(t time.Time) (time.Time, error) {
	if a.Schedule == "" {
		return time.Time{}, nil
	}
	loc, err := a.location()
	if err != nil {
		return time.Time{}, err
	}
	s, err := cron.ParseStandard(a.Schedule)
	if err != nil || strings.Contains(a.Schedule, "TZ=") {
		return time.Time{}, fmt.Errorf("its schedule %q is no cron expression of five fields: minute, hour, day, month, weekday (%s)", a.Schedule, strings.TrimSpace(fmt.Sprint(err)))
	}
	next := s.Next(t.In(loc))
	if fields := strings.Fields(a.Schedule); len(fields) == 5 && !strings.HasPrefix(fields[1], "*") || len(fields) == 1 && fields[0] != "@hourly" { // "@every 6h" are two
		next = nextByClock(s, t, loc)
	}
	if next.IsZero() {
		return time.Time{}, fmt.Errorf("its schedule %q is never due", a.Schedule)
	}
	return next.UTC(), nil
}

// nextByClock asks the schedule for times of day, as a clock on the wall shows them:
// the schedule sees a clock that nobody changes.
func nextByClock(s cron.Schedule, t time.Time, loc *time.Location) time.Time {
	l := t.In(loc)
	wall := time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), l.Nanosecond(), time.UTC)
	for {
		if wall = s.Next(wall); wall.IsZero() {
			return wall
		}
		if at := atWall(wall, loc); at.After(t) {
			return at
		}
	}
}

// atWall is when a clock of that place first shows the time. A time that it skips
// is as long after the gap as it is behind the gap's beginning.
func atWall(wall time.Time, loc *time.Location) time.Time {
	// Of the offsets around that day, the one before a change comes first: where the
	// clock is put back, it gives the first of two times; where it is put forward, the
	// time behind the gap.
	_, before := wall.Add(-24 * time.Hour).In(loc).Zone()
	at := wall.Add(-time.Duration(before) * time.Second)
	if _, offset := at.In(loc).Zone(); offset == before {
		return at.In(loc)
	}
	_, after := wall.Add(24 * time.Hour).In(loc).Zone()
	if later := wall.Add(-time.Duration(after) * time.Second); isOffset(later, loc, after) {
		return later.In(loc)
	}
	return at.In(loc)
}

func isOffset(t time.Time, loc *time.Location, offset int) bool {
	_, have := t.In(loc).Zone()
	return have == offset
}
