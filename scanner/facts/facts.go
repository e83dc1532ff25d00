// Package facts holds what collectors saw: plain, typed, normalised, never a
// judgement. It does no I/O and imports the standard library only, so that
// everything else may import it.
//
// A collection is a stream: one [Header], any number of [Resource]s, one
// [Trailer]. On file the stream is JSON Lines (see [Writer] and [Reader]); a
// stream without a trailer is broken off and is refused.
//
// # Missing is not empty
//
// Every field that a policy can read is present with its effective value: no
// omitempty, no null. What a collector could not see stands in the resource's
// [Resource.Missing] map under its path, with the reason. A path names a field
// of the facts document with dots; "[]" stands for "of every element of this
// list": "config.user_uid", "packages", "vulnerabilities[].kev". An entry
// covers everything below it.
package facts

import "time"

// Schema is the name and major version of the facts format. A reader refuses
// another major version; within one, fields are only added.
const Schema = "postscan.facts/v1"

// Kind says what a resource is. It is also the subject of policies: a policy in
// the folder policies/image judges resources of kind image.
type Kind string

// The kinds of resources that collectors yield.
const (
	KindImage Kind = "image"

	KindWorkload        Kind = "workload"        // *[Workload]: "shop/Deployment/web"
	KindIdentity        Kind = "identity"        // *[Identity]: "shop/ServiceAccount/web", "User/alice", "Group/system:masters"
	KindRole            Kind = "role"            // *[Role]: "shop/Role/edit", "ClusterRole/view"
	KindBinding         Kind = "binding"         // *[Binding]: "shop/RoleBinding/edit", "ClusterRoleBinding/admins"
	KindNamespace       Kind = "namespace"       // *[Namespace]: "Namespace/shop"
	KindNetworkPolicy   Kind = "networkpolicy"   // *[NetworkPolicy]: "shop/NetworkPolicy/web"
	KindService         Kind = "service"         // *[Service]: "shop/Service/web"
	KindIngress         Kind = "ingress"         // *[Ingress]: "shop/Ingress/web", "shop/HTTPRoute/web"
	KindConfigMap       Kind = "configmap"       // *[ConfigMap]: "shop/ConfigMap/web"
	KindAdmissionPolicy Kind = "admissionpolicy" // *[AdmissionPolicy]: "ClusterPolicy/restrict", "ValidatingWebhookConfiguration/x/y.example"
	KindCluster         Kind = "cluster"         // *[Cluster]: "cluster"
	KindNode            Kind = "node"            // *[Node]: "Node/worker-1"

	KindEngine    Kind = "engine"    // *[Engine]: "docker"
	KindContainer Kind = "container" // *[EngineContainer]: "docker/web", "containerd/shop/web/app"

	KindVM Kind = "vm" // *[VM]: the machine's host name
)

// Header opens a stream.
type Header struct {
	// Schema is always [Schema].
	Schema string `json:"schema"`
	// Version is the version of postscan that collected.
	Version string `json:"version"`
	// Collected is the time of collection in UTC; policies see it as data.params.now.
	Collected time.Time `json:"collected"`
	// Params are the parameters that collection depended on (name → value).
	Params map[string]any `json:"params"`
	// Kinds are the kinds of resources that the collection could yield; empty
	// where whoever collected did not say. Only checks that judge one of them
	// have anything to say of the stream.
	Kinds []Kind `json:"kinds"`
}

// Target is one thing that the scan was asked to look at.
type Target struct {
	// Kind is image, cluster, manifests, vm or engine.
	Kind string `json:"kind"`
	// Ref is the target as the user named it ("nginx:latest").
	Ref string `json:"ref"`
	// Identity is what stays the same from scan to scan and goes into
	// fingerprints: --name where given; for an image its registry (mirror
	// undone), repository and platform. Never a tag or a digest.
	Identity string `json:"identity"`
	// Properties describe the target for readers (digest, tag, platform …).
	Properties map[string]string `json:"properties"`
	// Error says why the target yielded no facts; empty where it did.
	Error string `json:"error"`
}

// Source is a body of data that facts were derived from: a vulnerability
// database, a KEV list. Reports name them with their age.
type Source struct {
	// Name is the source in one word: "vulnerability-db", "java-db", "kev", "epss".
	Name string `json:"name"`
	// Location is where it was read (a path or an OCI reference).
	Location string `json:"location"`
	// Version is its schema version or digest.
	Version string `json:"version"`
	// Updated is when its publisher made it; zero if unknown.
	Updated time.Time `json:"updated"`
	// NextUpdate is when its publisher promises the next one; zero if unknown.
	NextUpdate time.Time `json:"next_update"`
	// Problem says why the source could not be used, or what is wrong with it
	// ("is 12 days old"); empty where all is well.
	Problem string `json:"problem"`
}

// Trailer closes a stream.
type Trailer struct {
	// Complete is false where collection was broken off (a time-out, Ctrl-C).
	Complete bool `json:"complete"`
	// Resources counts the resources of the stream.
	Resources int `json:"resources"`
	// Error says why collection was broken off.
	Error string `json:"error"`
}

// Resource is the unit of judgement.
type Resource struct {
	Kind Kind `json:"kind"`
	// ID is what a person calls it: "docker.io/library/nginx:1.27",
	// "shop/Deployment/web".
	ID string `json:"id"`
	// Key is the part of the resource that fingerprints use, stable from scan
	// to scan within its target; ID where empty. An image is the only resource
	// of its target, so its key is "image" and never holds the tag.
	Key string `json:"key"`
	// Target is the Ref of the target that it belongs to.
	Target string `json:"target"`
	// Origin is where the resource as a whole was read.
	Origin Origin `json:"origin"`
	// Aliases are other names of the same thing (an image digest, a machine-id).
	Aliases []Alias `json:"aliases"`
	// Links lead to other resources.
	Links []Link `json:"links"`
	// Missing holds, by path, what could not be seen.
	Missing map[string]Missing `json:"missing"`
	// Lines gives, by evidence path, the line of Origin.File where that field
	// stands; only resources read from files of text have it.
	Lines map[string]int `json:"lines,omitempty"`
	// Places gives, by evidence path, the place of what stands in another file
	// than Origin.File: an identity's roles and bindings. As with Lines, the
	// nearest parent of a path counts.
	Places map[string]Origin `json:"places,omitempty"`
	// Annotations are the object's own that begin with [WaiverAnnotation]; no
	// other is kept. Policies do not see them.
	Annotations map[string]string `json:"annotations,omitempty"`
	// Facts is the document that policies see, by Kind: *[Image] …
	Facts any `json:"facts"`
}

// WaiverAnnotation begins the annotations of Kubernetes objects that ask for a
// waiver; the id of a check or a vulnerability follows.
const WaiverAnnotation = "postscan.dev/waive."

// FingerprintKey returns the part of the resource that fingerprints use.
func (r *Resource) FingerprintKey() string {
	if r.Key != "" {
		return r.Key
	}
	return r.ID
}

// Origin is a place in a file or an object.
type Origin struct {
	// File is a path; inside an image, the path in the image.
	File string `json:"file"`
	// Line counts from 1; 0 is unknown.
	Line int `json:"line"`
	// Rendered is true where File holds what a template engine made, and Line
	// counts in that output.
	Rendered bool `json:"rendered"`
}

// Alias is another name of a resource.
type Alias struct {
	// Type says what kind of name it is: "digest", "image-id", "machine-id" …
	Type  string `json:"type"`
	Value string `json:"value"`
}

// Link is a relation to another resource.
type Link struct {
	// Type is the relation: "runs-on", "uses-identity", "runs-image".
	Type string `json:"type"`
	// To is the kind and id or alias of the other end.
	To string `json:"to"`
	// Evidence says how it is known.
	Evidence string `json:"evidence"`
	// Confidence is "certain", "claimed" or "guessed".
	Confidence string `json:"confidence"`
}

// Gap says which of the two kinds of not knowing a [Missing] is.
type Gap string

const (
	// Unknown: this scan tried and could not see. It trips a gate.
	Unknown Gap = "unknown"
	// NotAssessed: nothing in this scan was meant to look (no collector, hidden
	// by the provider, opt-in not given, not configured).
	NotAssessed Gap = "not_assessed"
)

// Missing is the reason why a field has no value.
type Missing struct {
	Status Gap `json:"status"`
	// Reason is a sentence for people, ending with what to do where something can be done.
	Reason string `json:"reason"`
	// Partial is true where the field holds something, but perhaps not all:
	// what is there is judged, and nothing passes.
	Partial bool `json:"partial"`
}
