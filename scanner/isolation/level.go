package isolation

import (
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner"
)

// LevelName is the name of a level, 0 to 6.
func LevelName(level int) string {
	return [...]string{
		"none", "shared with the host", "plain container", "hardened container",
		"second kernel boundary", "virtual machine", "attested virtual machine",
	}[level]
}

// breaker is one on its way: kind says what would mend it.
type breaker struct {
	level             int
	what, path, value string
	mend              string
	apply             func(*Input)
}

// breakers are what keeps the level at 0 or 1, those of level 0 first.
func (in *Input) breakers(h hope) []breaker {
	var out []breaker
	add := func(b breaker) {
		same := func(o breaker) bool { return o.level == b.level && o.what == b.what }
		if !slices.ContainsFunc(out, same) {
			out = append(out, b)
		}
	}
	for i := range in.Containers {
		c := &in.Containers[i]
		if c.Privileged {
			add(breaker{0, "a container is privileged", c.at("privileged", "privileged"), "true", in.say("set privileged to false", "run it without --privileged"), func(in *Input) {
				for i := range in.Containers {
					in.Containers[i].Privileged = false
				}
				in.pass("privileged")
			}})
		}
	}
	for _, d := range in.Dangers {
		add(breaker{d.Level, d.What, d.Path, d.Value, d.Mend, func(in *Input) { in.forgo(d) }})
	}
	for i := range in.Containers {
		c := &in.Containers[i]
		if names := in.takeover(c, h); len(names) > 0 {
			value := strings.Join(names, ", ")
			add(breaker{0, "a container has " + value + " in the user namespace of its node", c.at("effective.capabilities", "capabilities"), value, "drop " + value, func(in *Input) {
				for i := range in.Containers {
					in.Containers[i].drop()
				}
				in.pass("capabilities_baseline")
			}})
		}
	}
	host := func(own *Fact, field, engine, what string, mend func(*Input) *Fact) {
		if h.yes(*own) {
			return
		}
		add(breaker{1, what, own.Path, own.Value, in.say("set "+field+" to false", "give it "+engine+" of its own"), func(in *Input) {
			mend(in).State = Yes
			if in.ownNamespaces(false) {
				in.pass("hostNamespaces")
			}
		}})
	}
	host(&in.OwnPID, "hostPID", "a PID namespace", "it shares the processes of its node", func(in *Input) *Fact { return &in.OwnPID })
	host(&in.OwnIPC, "hostIPC", "an IPC namespace", "it shares the IPC namespace of its node", func(in *Input) *Fact { return &in.OwnIPC })
	host(&in.OwnNetwork, "hostNetwork", "a network", "it shares the network of its node", func(in *Input) *Fact { return &in.OwnNetwork })
	for i := range in.Containers {
		if c := &in.Containers[i]; in.unfiltered(c, h) {
			f := in.seccomp(c)
			add(breaker{1, "a container has neither a seccomp filter nor a security module", f.Path, f.Value, in.setSeccomp(), filter})
		}
	}
	slices.SortStableFunc(out, func(a, b breaker) int { return a.level - b.level })
	return out
}

// broken is the lowest level of a breaker, 2 where there is none: breakers
// without their texts.
func (in *Input) broken(h hope) int {
	level := 2
	for i := range in.Containers {
		c := &in.Containers[i]
		if c.Privileged || in.takesOver(c, h) {
			return 0
		}
		if in.unfiltered(c, h) {
			level = 1
		}
	}
	for i := range in.Dangers {
		level = min(level, in.Dangers[i].Level)
	}
	if !in.ownNamespaces(h) {
		level = min(level, 1)
	}
	return level
}

// takesOver says whether takeover names any.
func (in *Input) takesOver(c *Container, h hope) bool {
	return len(c.Takeover) > 0 && len(in.takeover(c, h)) > 0
}

// takeover are the capabilities with which a container takes the node: those
// that PS-K8S-009 calls critical, SYS_PTRACE beside the processes of the node,
// and NET_ADMIN on its network. None counts behind another kernel, in a user
// namespace, or where the user can never come to it.
func (in *Input) takeover(c *Container, h hope) []string {
	out := h.yes(c.NonRoot) && h.yes(c.NoNewPrivileges)
	if c.Privileged || len(c.Takeover) == 0 || out || h.yes(in.UserNamespace) || in.boundary(h) != SharedKernel {
		return nil
	}
	var names []string
	for _, n := range c.Takeover {
		if n == "SYS_PTRACE" && h.yes(in.OwnPID) || n == "NET_ADMIN" && h.yes(in.OwnNetwork) {
			continue
		}
		names = append(names, n)
	}
	return names
}

// unfiltered: nothing stands between the container and the kernel of its node.
// It is a question of Linux, and of a shared kernel.
func (in *Input) unfiltered(c *Container, h hope) bool {
	return !in.Windows && in.boundary(h) == SharedKernel && !h.yes(in.seccomp(c)) && !h.yes(in.lsm(c))
}

// level works out the level, with its breakers.
func (in *Input) level(h hope) int {
	if in.Nothing.State == Unseen {
		if h {
			return 6
		}
		return 0
	}
	level := in.broken(h)
	if level < 2 {
		return level
	}
	filtered := in.all(func(c *Container) bool { return h.yes(in.seccomp(c)) })
	confined := in.all(func(c *Container) bool { return h.yes(in.lsm(c)) })
	if filtered && (confined && len(in.Restricted) == 0 || h.yes(in.UserNamespace) && len(in.Baseline) == 0) {
		level = 3
	}
	boundary := in.boundary(h)
	if boundary >= SandboxKernel || level == 3 && h.yes(in.UserNamespace) && h.yes(in.Reserved) {
		level = 4
	}
	alone := h.yes(in.VirtualMachine) && h.yes(in.Reserved)
	if (boundary >= PodVM || alone) && in.HypervisorFlaw == "" {
		level = 5
		if boundary == ConfidentialVM && h.yes(in.Attested) || h.yes(in.HypervisorSound) {
			level = 6
		}
	}
	return level
}

func (in *Input) all(test func(*Container) bool) bool {
	for i := range in.Containers {
		if !test(&in.Containers[i]) {
			return false
		}
	}
	return true
}

// ceiling is the highest score that is allowed, nil where all is.
func (in *Input) ceiling(h hope) *scanner.IsolationCeiling {
	if in.Nothing.State == Unseen {
		return nil
	}
	var reason string
	highest := in.highest(h)
	switch highest {
	case ceilingNone, ceilingShared:
		reason = in.breakers(h)[0].what
	case ceilingEscape:
		reason = in.EscapeKnown
	case ceilingFlaw:
		reason = in.HypervisorFlaw
	default:
		return nil
	}
	return &scanner.IsolationCeiling{Score: highest, Reason: reason}
}

// The highest scores that are allowed.
const (
	ceilingNone   = 5  // with a breaker of level 0
	ceilingShared = 20 // with one of level 1
	ceilingEscape = 35 // where an escape is known, on a shared kernel
	ceilingFlaw   = 60 // above a flawed hypervisor
)

// highest is the highest score that is allowed, 100 where all is.
func (in *Input) highest(h hope) int {
	switch in.broken(h) {
	case 0:
		return ceilingNone
	case 1:
		return ceilingShared
	}
	switch {
	case in.EscapeKnown != "" && in.boundary(h) == SharedKernel:
		return ceilingEscape
	case in.HypervisorFlaw != "":
		return ceilingFlaw
	default:
		return 100
	}
}

// doubts are the unseen facts that keep the level from what is asked for: those
// without which it could not be reached, and those of which one alone would do.
// Where neither tells, all that were not seen are named.
func (in *Input) doubts(required int) []Fact {
	if in.Nothing.State == Unseen {
		return []Fact{in.Nothing}
	}
	var unseen, needed, enough []Fact
	work := in.clone()
	for _, f := range work.levelFacts() {
		if f.State != Unseen {
			continue
		}
		kept := *f
		unseen = append(unseen, kept)
		f.State = No
		if work.level(true) < required {
			needed = append(needed, kept)
		}
		f.State = Yes
		if work.level(false) >= required {
			enough = append(enough, kept)
		}
		*f = kept
	}
	switch {
	case len(needed) > 0:
		return needed
	case len(enough) > 0:
		return enough
	default:
		return unseen
	}
}

// levelFacts are the facts that a level depends on.
func (in *Input) levelFacts() []*Fact {
	out := []*Fact{
		&in.Holds, &in.UserNamespace, &in.OwnPID, &in.OwnIPC, &in.OwnNetwork, &in.AppArmor, &in.SELinux, &in.SeccompDefault,
		&in.Reserved, &in.VirtualMachine, &in.Attested, &in.HypervisorSound,
	}
	for i := range in.Containers {
		out = append(out, &in.Containers[i].NonRoot, &in.Containers[i].NoNewPrivileges)
	}
	return out
}
