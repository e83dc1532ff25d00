// Package isolation answers the question that postscan is about: how well is a
// workload isolated from its neighbours, and what would raise that.
//
// It gives two answers. The level, L0 to L6, says which boundary stands between
// the workload and its neighbours; the score, 0 to 100, how well that boundary
// is kept. docs/isolation.md holds the conditions and the numbers, and
// [scanner.IsolationModel] their version.
//
// # Phases
//
// An [Input] holds what counts, whatever kind of thing it was read from;
// [FromWorkload] makes one of a Kubernetes workload, [FromContainer] one of a
// container of an engine. [Score] is a function of the
// Input alone. [Evaluator] stands around another evaluator: it scores the
// workloads that pass through, once for equal Inputs, decides PS-PATH-010, and
// adds its part to the report.
//
// # What was not seen
//
// A fact is yes, no or unseen. Level and score are worked out twice: once with
// everything that is unseen taken for bad, which is the answer, and once with it
// taken for good, which says how much better it could be. So a fact that is not
// seen never raises anything. Confidence is the share of the points whose facts
// were seen.
package isolation

import (
	"github.com/postscan/postscan/scanner/facts"
)

// State says whether a fact holds. Every fact is put so that yes is good.
type State int8

// The states.
const (
	No State = iota
	Yes
	Unseen
)

// Fact is something that gives or withholds points.
type Fact struct {
	State State
	// Path and Value say where it stands in the facts of the resource, and what stands there.
	Path, Value string
	// Reason says in words why it holds, does not hold, or was not seen.
	Reason string
	// Gap is the kind of not seeing; empty for what was seen.
	Gap facts.Gap
}

// Boundary is what separates a workload from the kernel of its node.
type Boundary int8

// The boundaries, the weakest first.
const (
	SharedKernel   Boundary = iota
	SandboxKernel           // a kernel in user space: gVisor
	PodVM                   // a virtual machine for each pod: Kata, Firecracker, Fargate
	ConfidentialVM          // one whose memory the host cannot read
)

// Input is what level and score depend on.
type Input struct {
	// Nothing is Unseen where nothing of the workload was seen, with the reason.
	Nothing Fact
	Windows bool
	// Engine is true for a container of an engine, false for a workload of Kubernetes: they differ in words.
	Engine bool

	// Boundary is the one that the workload asks for; Holds says whether it gets it.
	Boundary Boundary
	Holds    Fact
	// UserNamespace: root in the pod is nobody on the node. Offered: the nodes could give it one.
	UserNamespace Fact
	Offered       Fact

	OwnPID      Fact // it has a PID namespace of its own
	OwnIPC      Fact
	OwnNetwork  Fact
	NoHostFiles Fact // no path and no device of the node
	// HostFiles are the paths of the volumes that are a path or a device of the node.
	HostFiles []string
	// Dangers are facts that break the isolation by themselves.
	Dangers []Danger

	Containers []Container // of every role; at least one
	// AppArmor, SELinux: on at all of its nodes. SeccompDefault: the runtime's profile is put on what names none.
	AppArmor       Fact
	SELinux        Fact
	SeccompDefault Fact

	Reserved        Fact // its nodes carry nobody else's workloads
	OffControlPlane Fact
	PIDBound        Fact // the node bounds the processes of a pod
	VirtualMachine  Fact // its nodes are virtual machines
	Sound           Fact // they boot verified, are patched, and no check of severity high fails on them or below

	Attested        Fact // the confidential machine proved what it runs
	HypervisorSound Fact // facts of the hypervisor were collected and no check of severity high fails on it
	// EscapeKnown and HypervisorFlaw say what is known to be broken below it; "" where nothing is known.
	EscapeKnown    string
	HypervisorFlaw string

	// Baseline and Restricted are the controls of the Pod Security levels that it fails, by their ids.
	Baseline   []string
	Restricted []string
}

// Container is what one container adds. The fields are those that it has without
// privileged, so that what a change would bring can be worked out.
type Container struct {
	Path       string // "containers[0]"; "" for a container of an engine, whose facts it is all of
	Privileged bool
	// Capabilities are the points for them, and Capable what the fact says; MayHave are the points if an
	// unseen runtime default were the smallest.
	Capabilities, MayHave int
	Capable               string
	// Spared are the points for them without those of Takeover.
	Spared int
	// Takeover are those with which root takes the node, as PS-K8S-009 lists them, sorted.
	Takeover        []string
	NonRoot         Fact
	NoNewPrivileges Fact
	ReadOnlyRoot    Fact
	Seccomp         string // Unconfined, RuntimeDefault, Localhost, or node: the kubelet decides
	AppArmorOff     bool   // its profile is switched off
	SELinuxOff      string // the option that leaves the container types; "" for none
	MemoryBound     Fact
}

// at is the path of a fact about the container: where a workload has it, and
// where a container of an engine does.
func (c *Container) at(workload, engine string) string {
	if c.Path == "" {
		return engine
	}
	return c.Path + "." + workload
}

// say picks the words for a workload, or those for a container of an engine.
func (in *Input) say(workload, engine string) string {
	if in.Engine {
		return engine
	}
	return workload
}

// Danger is a fact that breaks the isolation by itself.
type Danger struct {
	Level       int // 0 or 1
	What        string
	Path, Value string
	Mend        string // "do not mount /etc of the node"
	Volume      string // the one of HostFiles that brings it; "" for another danger
}

// hope says how to take what was not seen: for good where true, for bad where false.
type hope bool

func (h hope) yes(f Fact) bool { return f.State == Yes || f.State == Unseen && bool(h) }

// boundary is the one that counts: beside a host namespace none does.
func (in *Input) boundary(h hope) Boundary {
	if in.Boundary == SharedKernel || !in.ownNamespaces(h) || !h.yes(in.Holds) {
		return SharedKernel
	}
	return in.Boundary
}

func (in *Input) ownNamespaces(h hope) bool {
	return h.yes(in.OwnPID) && h.yes(in.OwnIPC) && h.yes(in.OwnNetwork)
}

// seccomp is the filter that works on a container.
func (in *Input) seccomp(c *Container) Fact {
	f := Fact{State: Yes, Path: c.at("effective.seccomp", "seccomp"), Value: c.Seccomp}
	switch {
	case in.Windows:
		f.State, f.Reason = No, "Windows has none"
	case c.Privileged:
		f.State, f.Value, f.Reason = No, "Unconfined", "a privileged container runs without a filter"
	case c.Seccomp == "node":
		f = in.SeccompDefault
	case c.Seccomp == "Localhost":
		f.Reason = "a profile of its own filters its system calls"
	case c.Seccomp == "RuntimeDefault":
		f.Reason = "the runtime's profile filters its system calls"
	default:
		f.State, f.Reason = No, "nothing filters its system calls"
	}
	return f
}

// lsm is the security module that confines a container: one is enough.
func (in *Input) lsm(c *Container) Fact {
	if in.Windows {
		return Fact{Path: "os", Value: "windows", Reason: "Windows has none"}
	}
	appArmor, seLinux := in.AppArmor, in.SELinux
	if c.Privileged {
		appArmor = Fact{Path: c.at("privileged", "privileged"), Value: "true", Reason: "a privileged container is not confined"}
		seLinux = appArmor
	}
	if c.AppArmorOff {
		appArmor = Fact{Path: c.at("effective.apparmor", "apparmor"), Value: "Unconfined", Reason: "its AppArmor profile is switched off"}
	}
	if c.SELinuxOff != "" {
		seLinux = Fact{Path: c.at("effective.selinux", "selinux"), Value: c.SELinuxOff, Reason: "its SELinux options leave the types for containers"}
	}
	switch {
	case appArmor.State == Yes:
		return appArmor
	case seLinux.State == Yes:
		return seLinux
	case appArmor.State == Unseen:
		return appArmor
	case seLinux.State == Unseen:
		return seLinux
	case c.SELinuxOff != "" && !c.AppArmorOff && in.SELinux.State == Yes:
		return seLinux
	default:
		return appArmor
	}
}

// rootless: root in it is not root on the node, or there is no root.
func (in *Input) rootless(c *Container) Fact {
	switch {
	case c.NonRoot.State == Yes:
		return c.NonRoot
	case in.UserNamespace.State == Yes:
		return in.UserNamespace
	case c.NonRoot.State == No && in.UserNamespace.State == Unseen:
		return in.UserNamespace
	default:
		return c.NonRoot
	}
}

// clone is a copy whose change does not reach in.
func (in *Input) clone() *Input {
	out := &Input{}
	in.copyTo(out)
	return out
}

// copyTo makes out what in is, in the memory that out has already.
func (in *Input) copyTo(out *Input) {
	old := *out
	*out = *in
	out.Dangers = refill(old.Dangers, in.Dangers)
	out.Containers = refill(old.Containers, in.Containers)
	out.HostFiles = refill(old.HostFiles, in.HostFiles)
	out.Baseline = refill(old.Baseline, in.Baseline)
	out.Restricted = refill(old.Restricted, in.Restricted)
}

// refill copies a list into the memory of another.
func refill[T any](old, list []T) []T { return append(old[:0], list...) }
