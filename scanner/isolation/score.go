package isolation

import (
	"github.com/postscan/postscan/scanner"
)

// Score works out level, score, points and steps. weakest is the index of the
// container on which the points are worked out. The group has no workloads yet.
func Score(in *Input) (g scanner.IsolationGroup, weakest int) {
	g.Level, g.BestLevel = in.level(false), in.level(true)
	g.LevelName = LevelName(g.Level)
	g.Breakers, g.Unseen, g.Steps, g.Workloads = []scanner.IsolationBreaker{}, []string{}, []scanner.IsolationStep{}, []scanner.IsolatedWorkload{}
	if in.Nothing.State == Unseen {
		for _, p := range in.clone().points(0) {
			p.Given, p.Unknown, p.State, p.Value, p.Reason = 0, p.Max, scanner.PointsUnknown, "", in.Nothing.Reason
			g.Points = append(g.Points, p)
		}
		g.BestScore, g.Grade = 100, grade(0)
		return g, 0
	}
	weakest = in.weakest()
	g.Points = in.points(weakest)
	for _, p := range g.Points {
		g.Confidence += p.Max - p.Unknown
	}
	g.Score, g.BestScore = in.score(false), in.score(true)
	g.Grade = grade(g.Score)
	g.Ceiling = in.ceiling(false)
	known := in.breakers(true)
	for _, b := range in.breakers(false) {
		sure := false
		for _, k := range known {
			sure = sure || k.level == b.level && k.path == b.path
		}
		g.Breakers = append(g.Breakers, scanner.IsolationBreaker{Level: b.level, What: b.what, Known: sure, Fact: b.path, Value: b.value})
	}
	if in.EscapeKnown == "" && in.boundary(false) == SharedKernel && g.Score > 35 {
		g.Unseen = append(g.Unseen, "an escape that is known for the kernel or runtime of its nodes would hold the score at 35")
	}
	if in.HypervisorFlaw == "" && in.HypervisorSound.State != Yes && in.VirtualMachine.State != No && g.Score > 60 {
		g.Unseen = append(g.Unseen, "a critical flaw of the hypervisor below its nodes would hold the score at 60")
	}
	g.Steps = in.steps(g.Level, g.Score)
	return g, weakest
}

// grade is the letter of a score.
func grade(score int) string {
	switch {
	case score >= 80:
		return "A"
	case score >= 60:
		return "B"
	case score >= 40:
		return "C"
	case score >= 20:
		return "D"
	default:
		return "E"
	}
}

// score adds up the points, of the container with the fewest, below the ceiling.
func (in *Input) score(h hope) int {
	if in.Nothing.State == Unseen {
		if h {
			return 100
		}
		return 0
	}
	total := in.podPoints(h)
	least := 100
	for i := range in.Containers {
		least = min(least, in.containerPoints(&in.Containers[i], h))
	}
	return min(total+least, in.highest(h))
}

// worth is the points of a fact.
func (h hope) worth(f Fact, points int) int {
	if h.yes(f) {
		return points
	}
	return 0
}

// podPoints are the points that all containers share. Those of one container
// are counted by containerPoints; points lists both, with their reasons.
func (in *Input) podPoints(h hope) int {
	return in.boundaryWorth(h) + h.worth(in.NoHostFiles, pointsNoHostFiles) +
		h.worth(in.OwnPID, pointsPerNamespace) + h.worth(in.OwnIPC, pointsPerNamespace) + h.worth(in.OwnNetwork, pointsPerNamespace) +
		h.worth(in.Reserved, pointsReserved) + h.worth(in.OffControlPlane, pointsOffControl) +
		h.worth(in.VirtualMachine, pointsVirtual) + h.worth(in.Sound, pointsSoundMachines)
}

func (in *Input) containerPoints(c *Container, h hope) int {
	n := h.worth(in.rootless(c), pointsUser) + h.worth(in.lsm(c), pointsLSM) + h.worth(in.bounds(c), pointsBounds)
	if !c.Privileged {
		n += c.Capabilities
		if h {
			n += max(0, c.MayHave-c.Capabilities)
		}
	}
	n += h.worth(c.NoNewPrivileges, pointsNoNew) + h.worth(c.ReadOnlyRoot, pointsReadOnly)
	switch f := in.seccomp(c); {
	case f.State == Yes && c.Seccomp == "Localhost":
		n += pointsSeccompOwn
	default:
		n += h.worth(f, pointsSeccomp)
	}
	return n
}

// weakest is the container with the fewest points; of several that with the
// fewest that it may have, then the first.
func (in *Input) weakest() int {
	best, given, may := 0, 0, 0
	for i := range in.Containers {
		g, m := in.containerPoints(&in.Containers[i], false), in.containerPoints(&in.Containers[i], true)
		if i == 0 || g < given || g == given && m < may {
			best, given, may = i, g, m
		}
	}
	return best
}

// The points of each part; docs/isolation.md explains them.
const (
	pointsUserNamespace = 15
	pointsSandbox       = 30
	pointsPodVM         = 40
	pointsConfidential  = 45

	pointsDropped       = 8 // no capability but NET_BIND_SERVICE
	pointsWithoutRaw    = 5 // the runtime's default without NET_RAW
	pointsDefaultSet    = 3 // the runtime's default
	pointsSeccomp       = 6
	pointsSeccompOwn    = 7 // a profile of its own
	pointsMostSeccomp   = pointsSeccompOwn
	pointsMostBoundary  = pointsConfidential
	pointsMostDropped   = pointsDropped
	pointsPerNamespace  = 2
	pointsUser          = 6
	pointsNoNew         = 4
	pointsLSM           = 6
	pointsReadOnly      = 3
	pointsNoHostFiles   = 3
	pointsReserved      = 5
	pointsOffControl    = 1
	pointsBounds        = 2
	pointsVirtual       = 2
	pointsSoundMachines = 2
)

// points lists all points for one container.
func (in *Input) points(container int) []scanner.IsolationPoint {
	var c Container
	if container < len(in.Containers) {
		c = in.Containers[container]
	}
	out := make([]scanner.IsolationPoint, 0, 16)
	plain := func(part, what string, most int, f Fact) {
		p := scanner.IsolationPoint{Part: part, What: what, Max: most, Fact: f.Path, Value: f.Value, Reason: f.Reason}
		switch f.State {
		case Yes:
			p.Given = most
		case Unseen:
			p.Unknown = most
		}
		out = append(out, stated(p))
	}
	out = append(out, in.boundaryPoints(), capabilityPoints(&c))
	plain("user", "it cannot be root on the node", pointsUser, in.rootless(&c))
	plain("no new privileges", "it cannot gain rights", pointsNoNew, c.NoNewPrivileges)
	out = append(out, in.seccompPoints(&c))
	plain("security module", "AppArmor or SELinux confines it", pointsLSM, in.lsm(&c))
	plain("files", "its root is read-only", pointsReadOnly, c.ReadOnlyRoot)
	plain("files", "no path or device of the node", pointsNoHostFiles, in.NoHostFiles)
	plain("namespaces", "processes of its own", pointsPerNamespace, in.OwnPID)
	plain("namespaces", "IPC of its own", pointsPerNamespace, in.OwnIPC)
	plain("namespaces", "a network of its own", pointsPerNamespace, in.OwnNetwork)
	plain("neighbours", "its nodes are reserved for its tenant", pointsReserved, in.Reserved)
	plain("neighbours", "not on a control-plane node", pointsOffControl, in.OffControlPlane)
	plain("neighbours", "its memory and processes are bounded", pointsBounds, in.bounds(&c))
	plain("substrate", "its nodes are virtual machines", pointsVirtual, in.VirtualMachine)
	plain("substrate", "its nodes boot verified and are patched", pointsSoundMachines, in.Sound)
	return out
}

// stated puts in the state that follows from the numbers.
func stated(p scanner.IsolationPoint) scanner.IsolationPoint {
	switch {
	case p.Unknown > 0:
		p.State = scanner.PointsUnknown
	case p.Given == p.Max:
		p.State = scanner.PointsGiven
	case p.Given > 0:
		p.State = scanner.PointsPartial
	default:
		p.State = scanner.PointsWithheld
	}
	return p
}

// boundaryWorth is the points of the boundary.
func (in *Input) boundaryWorth(h hope) int {
	n := [...]int{SharedKernel: 0, SandboxKernel: pointsSandbox, PodVM: pointsPodVM, ConfidentialVM: pointsConfidential}[in.boundary(h)]
	if h.yes(in.UserNamespace) {
		n = max(n, pointsUserNamespace)
	}
	return n
}

func (in *Input) boundaryPoints() scanner.IsolationPoint {
	f := in.UserNamespace
	if in.Boundary != SharedKernel {
		f = in.Holds
		if !in.ownNamespaces(true) {
			f.Reason = "beside a namespace of the host a sandbox counts for nothing"
		}
	}
	p := scanner.IsolationPoint{Part: "kernel boundary", What: "what stands between it and the kernel of its node", Max: pointsMostBoundary, Given: in.boundaryWorth(false), Fact: f.Path, Value: f.Value, Reason: f.Reason}
	p.Unknown = in.boundaryWorth(true) - p.Given
	return stated(p)
}

func capabilityPoints(c *Container) scanner.IsolationPoint {
	p := scanner.IsolationPoint{
		Part: "capabilities", What: "what root in it may do", Max: pointsMostDropped, Given: c.Capabilities,
		Unknown: max(0, c.MayHave-c.Capabilities), Fact: c.at("effective.capabilities", "capabilities"), Value: c.Capable,
	}
	switch {
	case c.Privileged:
		p.Given, p.Unknown, p.Value, p.Reason = 0, 0, "ALL", "a privileged container has all"
	case p.Unknown > 0:
		p.Reason = "the runtime's default set, and which that is was not seen"
	case p.Given == pointsDropped:
		p.Reason = "all are dropped but what a low port needs"
	case p.Given == pointsWithoutRaw:
		p.Reason = "no more than a runtime's default set without NET_RAW"
	case p.Given == pointsDefaultSet:
		p.Reason = "the runtime's default set"
	default:
		p.Reason = "more than a runtime gives by default"
	}
	return stated(p)
}

func (in *Input) seccompPoints(c *Container) scanner.IsolationPoint {
	f := in.seccomp(c)
	p := scanner.IsolationPoint{Part: "seccomp", What: "its system calls are filtered", Max: pointsMostSeccomp, Fact: f.Path, Value: f.Value, Reason: f.Reason}
	switch {
	case f.State == Unseen:
		p.Unknown = pointsSeccomp
	case f.State == Yes && c.Seccomp == "Localhost":
		p.Given = pointsSeccompOwn
	case f.State == Yes:
		p.Given = pointsSeccomp
	}
	return stated(p)
}

// bounds needs both: a container's memory and a node's processes.
func (in *Input) bounds(c *Container) Fact {
	switch {
	case c.MemoryBound.State == No:
		return c.MemoryBound
	case in.PIDBound.State == No:
		return in.PIDBound
	case c.MemoryBound.State == Unseen:
		return c.MemoryBound
	default:
		return in.PIDBound
	}
}
