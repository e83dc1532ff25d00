package isolation

import (
	"cmp"
	"slices"
	"strings"

	"github.com/postscan/postscan/scanner"
)

// What a step costs.
const (
	costField       = 1 // a field of the pod spec
	costApplication = 2 // the application may have to change with it
	costSpec        = 3 // much of the pod spec, and the application with it
	costCluster     = 4 // the nodes or the cluster have to change
	costNodes       = 5 // other nodes are needed
)

// setSeccomp mends a breaker and is a step of its own.
func (in *Input) setSeccomp() string {
	return in.say("set seccompProfile to RuntimeDefault on the pod", "run it with the engine's seccomp profile")
}

// maxSteps bounds the steps of one workload: the cheapest are what is read.
const maxSteps = 5

// step is a change: apply makes it on a copy, and is not asked where it changes nothing.
type step struct {
	text  string
	cost  int
	apply func(*Input)
	parts int // changes that it is made of
}

func one(text string, cost int, apply func(*Input)) step { return step{text, cost, apply, 1} }

// steps are the changes that raise the level, or else the score, cheapest first.
func (in *Input) steps(level, score int) []scanner.IsolationStep {
	type rated struct {
		scanner.IsolationStep
		parts int
	}
	var list []rated
	after := &Input{}
	for _, s := range in.candidates() {
		if slices.ContainsFunc(list, func(o rated) bool { return o.Text == s.text }) {
			continue
		}
		in.copyTo(after)
		s.apply(after)
		l, n := after.level(false), after.score(false)
		if l > level || l == level && n > score {
			list = append(list, rated{scanner.IsolationStep{Text: s.text, Cost: s.cost, Level: l, Score: n}, s.parts})
		}
	}
	slices.SortStableFunc(list, func(a, b rated) int {
		return cmp.Or(
			cmp.Compare(min(level+1, b.Level), min(level+1, a.Level)), // what raises the level comes first
			cmp.Compare(a.Cost, b.Cost),
			cmp.Compare(a.parts, b.parts),
			cmp.Compare(b.Level, a.Level),
			cmp.Compare(b.Score, a.Score),
		)
	})
	out := make([]scanner.IsolationStep, 0, maxSteps)
	for _, s := range list[:min(len(list), maxSteps)] {
		out = append(out, s.IsolationStep)
	}
	return out
}

// candidates are all changes that postscan knows.
func (in *Input) candidates() []step {
	var out []step
	worst, ok := in.unbreak(0)
	if ok {
		out = append(out, worst)
	}
	if all, ok := in.unbreak(1); ok && all.text != worst.text {
		out = append(out, all)
	}
	out = append(out,
		one(in.say("set allowPrivilegeEscalation to false", "set no-new-privileges"), costField, noNew),
		one(in.setSeccomp(), costField, filter),
		one("set a memory limit", costField, bound),
		one("drop all capabilities", costApplication, dropAll),
		one(in.say("set runAsNonRoot, and a user with a number in the image", "run it as a user with a number that is not 0"), costApplication, nonRoot),
		one(in.say("set readOnlyRootFilesystem, with an emptyDir for what it writes", "make its root read-only, with a tmpfs for what it writes"), costApplication, readOnly),
	)
	if !in.Engine {
		out = append(out,
			one("reserve nodes for its tenant: label the workload postscan/tenant, and taint the nodes", costNodes, func(in *Input) { in.Reserved.State = Yes }),
			one("run it on virtual machines that are reserved for its tenant", costNodes, func(in *Input) { in.Reserved.State, in.VirtualMachine.State = Yes, Yes }),
		)
	}
	if in.OffControlPlane.State == No {
		out = append(out, one("keep it off the control-plane nodes", costField, func(in *Input) { in.OffControlPlane.State = Yes }))
	}
	if len(in.HostFiles) > 0 && !slices.ContainsFunc(in.Dangers, func(d Danger) bool { return d.Volume != "" }) {
		out = append(out, one("mount no path of the node", costApplication, noHostFiles))
	}
	if in.PIDBound.State == No {
		both := func(in *Input) {
			bound(in)
			in.PIDBound.State = Yes
		}
		if in.Engine {
			out = append(out, one("limit its memory and its processes", costField, both))
		} else {
			out = append(out, one("set a memory limit, and bound the processes of a pod with the kubelet's podPidsLimit", costCluster, both))
		}
	}
	if in.Windows {
		return out
	}
	if in.AppArmor.State != Yes && in.SELinux.State != Yes {
		out = append(out, one(in.say("run it on nodes where AppArmor or SELinux is seen to be on", "run it on a machine with AppArmor or SELinux"), costCluster, func(in *Input) { in.AppArmor.State = Yes }))
	}
	if !in.all(func(c *Container) bool { return !c.AppArmorOff && c.SELinuxOff == "" }) {
		out = append(out, one("remove the override of AppArmor or SELinux", costField, confine))
	}
	if len(in.Restricted) > 0 {
		out = append(out, one("meet the restricted level of Pod Security (it fails "+strings.Join(in.Restricted, ", ")+")", costSpec, restrict))
	}
	if in.ownNamespaces(false) {
		if in.Offered.State == Yes {
			out = append(out, one(in.say("set hostUsers to false", "leave it in the user namespace that the engine gives"), costField, func(in *Input) {
				in.UserNamespace.State = Yes
				in.pass("runAsNonRoot", "runAsUser", "procMount")
			}))
		}
		if in.boundary(false) == SharedKernel {
			out = append(out,
				one(in.say("run it in a sandbox: a RuntimeClass with gVisor", "run it in a sandbox: the runtime runsc of gVisor"), costCluster, func(in *Input) { in.Boundary, in.Holds.State = SandboxKernel, Yes }),
				one(in.say("run it in a virtual machine of its own: a RuntimeClass with Kata Containers", "run it in a virtual machine of its own: the runtime of Kata Containers"), costNodes, func(in *Input) { in.Boundary, in.Holds.State = PodVM, Yes }),
			)
		}
	}
	return out
}

// unbreak mends all breakers up to a level; ok is false where there are none. One
// may hide another: what a container would have without privileged shows only
// when that is gone.
func (in *Input) unbreak(level int) (s step, ok bool) {
	s.cost = costField
	var texts []string
	var applies []func(*Input)
	work := in.clone()
	for range 3 {
		for _, b := range work.breakers(false) {
			if b.level > level {
				continue
			}
			if !slices.Contains(texts, b.mend) {
				texts = append(texts, b.mend)
			}
			if b.mend != in.setSeccomp() {
				s.cost = costApplication
			}
			applies = append(applies, b.apply)
		}
		for _, apply := range applies {
			apply(work)
		}
	}
	s.text, s.parts = strings.Join(texts, ", and "), len(texts)
	s.apply = func(in *Input) {
		for _, apply := range applies {
			apply(in)
		}
	}
	return s, len(texts) > 0
}

// pass strikes controls of Pod Security that a change mends.
func (in *Input) pass(controls ...string) {
	struck := func(id string) bool { return slices.Contains(controls, id) }
	in.Baseline = slices.DeleteFunc(in.Baseline, struck)
	in.Restricted = slices.DeleteFunc(in.Restricted, struck)
}

// forgo removes a danger and the volume that brings it.
func (in *Input) forgo(d Danger) {
	in.Dangers = slices.DeleteFunc(in.Dangers, func(o Danger) bool {
		return o.What == d.What || d.Volume != "" && o.Volume == d.Volume
	})
	if d.Volume == "" {
		in.pass("windowsHostProcess") // the one danger that no volume brings
		return
	}
	in.HostFiles = slices.DeleteFunc(in.HostFiles, func(v string) bool { return v == d.Volume })
	if len(in.HostFiles) == 0 {
		noHostFiles(in)
	}
}

func noHostFiles(in *Input) {
	in.HostFiles, in.NoHostFiles.State = nil, Yes
	in.Dangers = slices.DeleteFunc(in.Dangers, func(o Danger) bool { return o.Volume != "" })
	in.pass("hostPathVolumes")
}

// drop takes the node-takeover capabilities away.
func (c *Container) drop() {
	if len(c.Takeover) > 0 {
		c.Takeover, c.Capabilities, c.MayHave = nil, max(c.Capabilities, c.Spared), max(c.MayHave, c.Spared)
	}
}

func dropAll(in *Input) {
	for i := range in.Containers {
		c := &in.Containers[i]
		c.Takeover, c.Capabilities, c.MayHave = nil, pointsDropped, pointsDropped
	}
	in.pass("capabilities_baseline", "capabilities_restricted")
}

func noNew(in *Input) {
	for i := range in.Containers {
		in.Containers[i].NoNewPrivileges.State = Yes
	}
	in.pass("allowPrivilegeEscalation")
}

func filter(in *Input) {
	for i := range in.Containers {
		if c := &in.Containers[i]; c.Seccomp != "Localhost" {
			c.Seccomp = "RuntimeDefault"
		}
	}
	in.pass("seccompProfile_baseline", "seccompProfile_restricted")
}

func bound(in *Input) {
	for i := range in.Containers {
		in.Containers[i].MemoryBound.State = Yes
	}
}

func nonRoot(in *Input) {
	for i := range in.Containers {
		in.Containers[i].NonRoot.State = Yes
	}
	in.pass("runAsNonRoot", "runAsUser")
}

func readOnly(in *Input) {
	for i := range in.Containers {
		in.Containers[i].ReadOnlyRoot.State = Yes
	}
}

func confine(in *Input) {
	for i := range in.Containers {
		in.Containers[i].AppArmorOff, in.Containers[i].SELinuxOff = false, ""
	}
	in.pass("appArmorProfile", "seLinuxOptions")
}

// restrict is what the restricted level of Pod Security asks for as a whole.
func restrict(in *Input) {
	for i := range in.Containers {
		in.Containers[i].Privileged = false
	}
	in.OwnPID.State, in.OwnIPC.State, in.OwnNetwork.State = Yes, Yes, Yes
	dropAll(in)
	noNew(in)
	filter(in)
	nonRoot(in)
	noHostFiles(in)
	for i := range in.Containers {
		in.Containers[i].AppArmorOff, in.Containers[i].SELinuxOff = false, ""
	}
	in.Dangers, in.Baseline, in.Restricted = nil, nil, nil
}
