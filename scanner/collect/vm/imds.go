package vm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/postscan/postscan/scanner/facts"
)

// metadataHost is the address that AWS, GCE, Azure and OpenStack share.
const metadataHost = "169.254.169.254"

const (
	defaultMetadataTimeout = time.Second
	// metadataBody bounds an answer in bytes.
	metadataBody = 64 << 10
)

// The only paths that are ever asked for. None of them leads to a credential, to
// user data, or to a document that may hold one of these (OpenStack's
// meta_data.json can hold the administrator's password).
const (
	pathAWSToken    = "/latest/api/token" //nolint:gosec // a session token of the service, which is thrown away
	pathAWSList     = "/latest/meta-data/"
	pathAWSDocument = "/latest/dynamic/instance-identity/document"
	pathGCEID       = "/computeMetadata/v1/instance/id"
	pathGCEProject  = "/computeMetadata/v1/project/project-id"
	pathGCEZone     = "/computeMetadata/v1/instance/zone"
	pathAzure       = "/metadata/instance/compute?api-version=2021-02-01&format=json"
	pathOpenStack   = "/openstack/"
)

// metadata asks the metadata service of the cloud, where the user wants it.
func (s *scan) metadata(ctx context.Context) error {
	o := s.opts.IMDS
	if o == nil {
		s.notAssessed("metadata", "the metadata service is asked with --imds only")
		return nil
	}
	if s.diskCannot("metadata") {
		return nil
	}
	c, err := newIMDS(o)
	if err != nil {
		s.unknown("metadata", err.Error())
		return nil
	}
	m, err := c.ask(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.doc.Metadata = m
	s.at("metadata", c.base.String())
	if err != nil {
		s.unknown("metadata", err.Error())
		return nil
	}
	if s.doc.Metadata.Unprivileged, err = c.unprivileged(ctx, m.Provider); err != nil {
		s.notAssessed("metadata.unprivileged", err.Error())
	}
	s.notAssessed("metadata.hop_limit", "the service does not tell its hop limit; the cloud's API does")
	if m.Instance != "" {
		s.aliases = append(s.aliases, facts.Alias{Type: "instance-id", Value: m.Instance})
	}
	if m.Provider != "none" {
		s.doc.Machine.Provider = m.Provider
	}
	return nil
}

// imds is a client for one metadata service.
type imds struct {
	base   *url.URL
	client *http.Client
}

func newIMDS(o *IMDS) (*imds, error) {
	base := o.URL
	if base == nil {
		base = &url.URL{Scheme: "http", Host: metadataHost}
	}
	if base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil {
		return nil, fmt.Errorf("the address of the metadata service %q is no URL as http://HOST:PORT", clean(base.Redacted()))
	}
	timeout := o.Timeout
	if timeout <= 0 {
		timeout = defaultMetadataTimeout
	}
	return &imds{base: base, client: &http.Client{
		Timeout: timeout,
		// A proxy is another machine, and its metadata not ours.
		Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: timeout}).DialContext, MaxResponseHeaderBytes: 16 << 10, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}, nil
}

// answer is a response as far as it is looked at.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a *answer) ok() bool { return a != nil && a.status == http.StatusOK }

// errTooMuch is for a body above metadataBody.
var errTooMuch = errors.New("its answer is longer than an answer of a metadata service can be")

func (c *imds) request(ctx context.Context, method, where string, header map[string]string) (*answer, error) {
	u := strings.TrimSuffix(c.base.String(), "/") + where
	req, err := http.NewRequestWithContext(ctx, method, u, nil)
	if err != nil {
		return nil, fmt.Errorf("ask the metadata service: %w", err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	req.Header.Set("User-Agent", "postscan")
	res, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(io.LimitReader(res.Body, metadataBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > metadataBody {
		return nil, errTooMuch
	}
	return &answer{status: res.StatusCode, header: res.Header, body: string(body)}, nil
}

// ask tells the clouds apart and what they show. The error says why nothing can be
// told; where nobody answers at all the provider is none.
func (c *imds) ask(ctx context.Context) (facts.Metadata, error) {
	m := facts.Metadata{Provider: "none"}
	// Azure refuses requests with X-Forwarded-For, GCE those without its header: each
	// cloud is asked as it wants to be, and must answer in its own form.
	gce, err := c.request(ctx, http.MethodGet, pathGCEID, map[string]string{"Metadata-Flavor": "Google"})
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return m, nil // nothing listens there
	case err != nil:
		return facts.Metadata{}, c.problem(err)
	}
	if gce.ok() && gce.header.Get("Metadata-Flavor") == "Google" && digits.MatchString(gce.body) {
		return c.gce(ctx, gce.body)
	}
	azure, err := c.request(ctx, http.MethodGet, pathAzure, map[string]string{"Metadata": "true"})
	if err != nil {
		return facts.Metadata{}, c.problem(err)
	}
	if m, ok := azureInstance(azure); ok {
		return m, nil
	}
	openstack, err := c.request(ctx, http.MethodGet, pathOpenStack, nil)
	if err != nil {
		return facts.Metadata{}, c.problem(err)
	}
	if openstack.ok() && openstackVersion.MatchString(openstack.body) {
		return facts.Metadata{Provider: "openstack", Tokenless: true}, nil
	}
	return c.aws(ctx)
}

// unprivileged says whether an account other than root reaches the service: a rule
// of the machine's packet filter may keep it for root. The error says why nobody tried.
func (c *imds) unprivileged(ctx context.Context, provider string) (string, error) {
	if provider == "none" {
		return "no", nil
	}
	if os.Geteuid() != 0 {
		return "yes", nil // it has just answered
	}
	if _, err := netip.ParseAddr(c.base.Hostname()); err != nil {
		return "", errors.New("an account other than root is tried at an address, not at a name")
	}
	dial, err := asNobody(&net.Dialer{Timeout: c.client.Timeout})
	if err != nil {
		return "", err
	}
	other := *c
	other.client = &http.Client{Timeout: c.client.Timeout, CheckRedirect: c.client.CheckRedirect, Transport: &http.Transport{DialContext: dial, MaxResponseHeaderBytes: 16 << 10, DisableKeepAlives: true}}
	ask := map[string]struct{ method, where, header, value string }{
		"aws": {http.MethodPut, pathAWSToken, "X-aws-ec2-metadata-token-ttl-seconds", "60"}, "gce": {http.MethodGet, pathGCEID, "Metadata-Flavor", "Google"},
		"azure": {http.MethodGet, pathAzure, "Metadata", "true"}, "openstack": {http.MethodGet, pathOpenStack, "Accept", "*/*"},
	}[provider]
	a, err := other.request(ctx, ask.method, ask.where, map[string]string{ask.header: ask.value})
	if err != nil || !a.ok() && provider != "aws" { // an AWS without tokens answers too
		return "no", nil //nolint:nilerr // not being reached is the answer
	}
	return "yes", nil
}

var (
	digits           = regexp.MustCompile(`^[0-9]{6,20}$`)
	openstackVersion = regexp.MustCompile(`(?m)^20[0-9]{2}-[0-9]{2}-[0-9]{2}/?$`)
	awsInstance      = regexp.MustCompile(`^i-[0-9a-f]{8,17}$`)
	awsAccount       = regexp.MustCompile(`^[0-9]{12}$`)
	awsToken         = regexp.MustCompile(`^[A-Za-z0-9_=+/-]{16,256}$`)
	plainName        = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,128}$`)
)

// problem words an error without addresses that a proxy or a name server might add.
func (c *imds) problem(err error) error {
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("the metadata service at %s did not answer within %s", c.base.Host, c.client.Timeout)
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	return fmt.Errorf("ask the metadata service at %s: %s", c.base.Host, clean(err.Error()))
}

func (c *imds) gce(ctx context.Context, id string) (facts.Metadata, error) {
	m := facts.Metadata{Provider: "gce", Header: true, Instance: strings.TrimSpace(id)}
	for where, to := range map[string]*string{pathGCEProject: &m.Account, pathGCEZone: &m.Region} {
		a, err := c.request(ctx, http.MethodGet, where, map[string]string{"Metadata-Flavor": "Google"})
		if err != nil {
			return facts.Metadata{}, c.problem(err)
		}
		if a.ok() && plainName.MatchString(a.body) {
			*to = a.body[strings.LastIndexByte(a.body, '/')+1:]
		}
	}
	plain, err := c.request(ctx, http.MethodGet, pathGCEID, nil)
	if err != nil {
		return facts.Metadata{}, c.problem(err)
	}
	m.Header, m.Tokenless = !plain.ok(), plain.ok()
	return m, nil
}

// azureInstance reads the answer of Azure.
func azureInstance(a *answer) (facts.Metadata, bool) {
	var doc struct {
		VMID         string `json:"vmId"`
		Subscription string `json:"subscriptionId"`
		Location     string `json:"location"`
	}
	if !a.ok() || json.Unmarshal([]byte(a.body), &doc) != nil || !plainName.MatchString(doc.VMID) {
		return facts.Metadata{}, false
	}
	m := facts.Metadata{Provider: "azure", Header: true, Instance: doc.VMID}
	if plainName.MatchString(doc.Subscription) {
		m.Account = doc.Subscription
	}
	if plainName.MatchString(doc.Location) {
		m.Region = doc.Location
	}
	return m, true
}

// aws asks for a session token and tries without one.
func (c *imds) aws(ctx context.Context) (facts.Metadata, error) {
	m := facts.Metadata{Provider: "none"}
	token, err := c.request(ctx, http.MethodPut, pathAWSToken, map[string]string{"X-aws-ec2-metadata-token-ttl-seconds": "60"})
	if err != nil {
		return facts.Metadata{}, c.problem(err)
	}
	header := map[string]string{}
	if token.ok() && awsToken.MatchString(token.body) {
		m.Token = true
		header["X-aws-ec2-metadata-token"] = token.body
	}
	list, err := c.request(ctx, http.MethodGet, pathAWSList, nil)
	if err != nil {
		return facts.Metadata{}, c.problem(err)
	}
	m.Tokenless = list.ok() && listsInstance(list.body)
	document, err := c.request(ctx, http.MethodGet, pathAWSDocument, header)
	if err != nil {
		return facts.Metadata{}, c.problem(err)
	}
	var doc struct {
		Instance string `json:"instanceId"`
		Account  string `json:"accountId"`
		Region   string `json:"region"`
	}
	if document.ok() && json.Unmarshal([]byte(document.body), &doc) == nil && awsInstance.MatchString(doc.Instance) {
		m.Instance = doc.Instance
		if awsAccount.MatchString(doc.Account) {
			m.Account = doc.Account
		}
		if plainName.MatchString(doc.Region) {
			m.Region = doc.Region
		}
	}
	switch {
	case m.Tokenless, m.Token && (m.Instance != "" || list.status == http.StatusUnauthorized):
		m.Provider = "aws"
		return m, nil
	default:
		return facts.Metadata{}, fmt.Errorf("what answers at %s is the metadata service of none of AWS, GCE, Azure and OpenStack", c.base.Host)
	}
}

// listsInstance recognises the folder of AWS by a name that it always has.
func listsInstance(body string) bool {
	for line := range strings.Lines(body) {
		if strings.TrimSpace(line) == "instance-id" {
			return true
		}
	}
	return false
}
