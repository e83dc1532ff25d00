package isolation_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/postscan/postscan/scanner/isolation"
)

// random makes an Input with any facts.
func random(r *rand.Rand) *isolation.Input {
	in := &isolation.Input{}
	for _, f := range factsOf(in) {
		f.State = isolation.State(r.IntN(3))
		if r.IntN(2) == 0 {
			f.State = isolation.Yes // or hardly any would be without a breaker
		}
	}
	in.Nothing.State = isolation.No
	in.Windows = r.IntN(8) == 0
	in.Boundary = isolation.Boundary(r.IntN(4))
	for i := range 1 + r.IntN(3) {
		c := isolation.Container{Path: "containers[" + string(rune('0'+i)) + "]"}
		c.Privileged = r.IntN(8) == 0
		c.Capabilities = []int{0, 3, 5, 8}[r.IntN(4)]
		c.MayHave = max(c.Capabilities, []int{0, 5}[r.IntN(2)])
		c.Spared = max(c.Capabilities, []int{3, 5, 8}[r.IntN(3)])
		if r.IntN(4) == 0 {
			c.Takeover, c.Capabilities, c.MayHave = [][]string{{"SYS_ADMIN"}, {"SYS_PTRACE"}, {"NET_ADMIN"}}[r.IntN(3)], 0, 0
		}
		c.NonRoot.State, c.MemoryBound.State = isolation.State(r.IntN(3)), isolation.State(r.IntN(3))
		c.NoNewPrivileges.State, c.ReadOnlyRoot.State = isolation.State(r.IntN(3)), isolation.State(r.IntN(3))
		c.AppArmorOff = r.IntN(4) == 0
		c.Seccomp = []string{"Unconfined", "RuntimeDefault", "Localhost", "node"}[r.IntN(4)]
		if r.IntN(4) == 0 {
			c.SELinuxOff = "spc_t"
		}
		in.Containers = append(in.Containers, c)
	}
	if r.IntN(6) == 0 {
		in.HostFiles, in.NoHostFiles.State = []string{"volumes[0]"}, isolation.No
		in.Dangers = []isolation.Danger{{Level: r.IntN(2), What: "it sees a path", Path: "volumes[0].host_path", Volume: "volumes[0]", Mend: "do not mount it"}}
	}
	for _, list := range []*[]string{&in.Baseline, &in.Restricted} {
		for _, id := range []string{"runAsNonRoot", "seccompProfile_restricted", "hostPorts"} {
			if r.IntN(5) == 0 {
				*list = append(*list, id)
			}
		}
	}
	if r.IntN(8) == 0 {
		in.EscapeKnown = "an escape"
	}
	if r.IntN(8) == 0 {
		in.HypervisorFlaw = "a flaw"
	}
	return in
}

// factsOf are all facts of an Input, those of its containers too.
func factsOf(in *isolation.Input) []*isolation.Fact {
	var out []*isolation.Fact
	gather := func(v reflect.Value) {
		for i := range v.NumField() {
			if f, ok := v.Field(i).Addr().Interface().(*isolation.Fact); ok {
				out = append(out, f)
			}
		}
	}
	gather(reflect.ValueOf(in).Elem())
	for i := range in.Containers {
		gather(reflect.ValueOf(&in.Containers[i]).Elem())
	}
	return out
}

// copied is a deep copy.
func copied(in *isolation.Input) *isolation.Input {
	out := *in
	out.Dangers, out.HostFiles, out.Containers = slices.Clone(in.Dangers), slices.Clone(in.HostFiles), slices.Clone(in.Containers)
	out.Baseline, out.Restricted = slices.Clone(in.Baseline), slices.Clone(in.Restricted)
	return &out
}

// hardenings are changes that can only be for the better.
func hardenings(in *isolation.Input) []func(*isolation.Input) {
	var out []func(*isolation.Input)
	for i := range factsOf(in) {
		out = append(out, func(in *isolation.Input) { factsOf(in)[i].State = isolation.Yes })
	}
	out = append(out,
		func(in *isolation.Input) { in.Dangers = nil },
		func(in *isolation.Input) { in.Baseline, in.Restricted = nil, nil },
		func(in *isolation.Input) { in.EscapeKnown = "" },
		func(in *isolation.Input) { in.HypervisorFlaw = "" },
		func(in *isolation.Input) { in.Boundary = min(in.Boundary+1, isolation.ConfidentialVM) },
	)
	for i := range in.Containers {
		out = append(out,
			func(in *isolation.Input) { in.Containers[i].Privileged = false },
			func(in *isolation.Input) {
				in.Containers[i].Capabilities, in.Containers[i].MayHave, in.Containers[i].Takeover = 8, 8, nil
			},
			func(in *isolation.Input) { in.Containers[i].AppArmorOff, in.Containers[i].SELinuxOff = false, "" },
			func(in *isolation.Input) { in.Containers[i].Seccomp = "Localhost" },
		)
		if len(in.Containers) > 1 {
			out = append(out, func(in *isolation.Input) { in.Containers = slices.Delete(in.Containers, i, i+1) })
		}
	}
	return out
}

// A hardening never lowers level or score; a fact that is not seen never raises
// them; what is certain is never above what may be.
func TestHardeningNeverLowersAndNotSeeingNeverRaises(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	levels := map[int]int{}
	for range 1000 {
		in := random(r)
		before, _ := isolation.Score(in)
		levels[before.Level]++
		given, unknown := 0, 0
		for _, p := range before.Points {
			given, unknown = given+p.Given, unknown+p.Unknown
		}
		if before.Score > given || before.Ceiling == nil && before.Score != given || before.Ceiling != nil && before.Score != min(given, before.Ceiling.Score) {
			t.Fatalf("the score is %d, the points add up to %d, the ceiling is %v\n%+v", before.Score, given, before.Ceiling, in)
		}
		if before.Confidence != 100-unknown {
			t.Fatalf("confidence %d, unknown points %d", before.Confidence, unknown)
		}
		if before.Level < 2 && (len(before.Breakers) == 0 || before.Breakers[0].Level != before.Level) || before.Level >= 2 && len(before.Breakers) > 0 {
			t.Fatalf("L%d with the breakers %v", before.Level, before.Breakers)
		}
		if before.Level > before.BestLevel || before.Score > before.BestScore {
			t.Fatalf("certain L%d %d is above what may be, L%d %d\n%+v", before.Level, before.Score, before.BestLevel, before.BestScore, in)
		}
		for i, harden := range hardenings(in) {
			better := copied(in)
			harden(better)
			after, _ := isolation.Score(better)
			if after.Level < before.Level || after.Score < before.Score || after.BestLevel < before.BestLevel || after.BestScore < before.BestScore {
				t.Fatalf("hardening %d lowers L%d %d (L%d %d) to L%d %d (L%d %d)\n%+v\n%+v", i, before.Level, before.Score, before.BestLevel, before.BestScore,
					after.Level, after.Score, after.BestLevel, after.BestScore, in, better)
			}
		}
		for i := range factsOf(in) {
			hidden := copied(in)
			factsOf(hidden)[i].State = isolation.Unseen
			if factsOf(hidden)[i] == &hidden.Nothing {
				continue
			}
			after, _ := isolation.Score(hidden)
			if after.Level > before.Level || after.Score > before.Score {
				t.Fatalf("not seeing fact %d raises L%d %d to L%d %d\n%+v", i, before.Level, before.Score, after.Level, after.Score, in)
			}
			if after.BestLevel < before.BestLevel || after.BestScore < before.BestScore {
				t.Fatalf("not seeing fact %d lowers what may be, L%d %d to L%d %d\n%+v", i, before.BestLevel, before.BestScore, after.BestLevel, after.BestScore, in)
			}
		}
	}
	for level := range 7 {
		if levels[level] == 0 {
			t.Errorf("no Input has level %d: the test does not see it", level)
		}
	}
}

// Each step keeps what it promises to be: better, and the first the cheapest
// that raises the level, where one does.
func TestSteps(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		in := random(r)
		g, _ := isolation.Score(in)
		for i, s := range g.Steps {
			if s.Level < g.Level || s.Level == g.Level && s.Score <= g.Score {
				t.Fatalf("step %q from L%d %d to L%d %d is no step up", s.Text, g.Level, g.Score, s.Level, s.Score)
			}
			raises := s.Level > g.Level
			if first := g.Steps[0]; i > 0 && raises && (first.Level == g.Level || first.Cost > s.Cost) {
				t.Fatalf("%q is cheaper than the first, %q", s.Text, first.Text)
			}
		}
		if g.Level < 2 && len(g.Breakers) > 0 && len(g.Steps) == 0 && g.Breakers[0].Known {
			t.Fatalf("nothing is said against %v", g.Breakers)
		}
	}
}
