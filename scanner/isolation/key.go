package isolation

import "strconv"

// appendInput appends the whole of an Input: where that is equal, the Inputs are
// equal. It is written out by hand, for it is asked for every workload; a test
// changes every field and sees the key change.
func appendInput(b []byte, in *Input) []byte {
	b = appendFact(b, &in.Nothing)
	b = appendBool(b, in.Windows)
	b = appendBool(b, in.Engine)
	b = appendInt(b, int(in.Boundary))
	b = appendFact(b, &in.Holds)
	b = appendFact(b, &in.UserNamespace)
	b = appendFact(b, &in.Offered)
	b = appendFact(b, &in.OwnPID)
	b = appendFact(b, &in.OwnIPC)
	b = appendFact(b, &in.OwnNetwork)
	b = appendFact(b, &in.NoHostFiles)
	b = appendTexts(b, in.HostFiles)
	b = appendInt(b, len(in.Dangers))
	for i := range in.Dangers {
		d := &in.Dangers[i]
		b = appendInt(b, d.Level)
		for _, text := range [...]string{d.What, d.Path, d.Value, d.Mend, d.Volume} {
			b = appendText(b, text)
		}
	}
	b = appendInt(b, len(in.Containers))
	for i := range in.Containers {
		b = appendContainer(b, &in.Containers[i])
	}
	for _, f := range [...]*Fact{
		&in.AppArmor, &in.SELinux, &in.SeccompDefault, &in.Reserved, &in.OffControlPlane, &in.PIDBound,
		&in.VirtualMachine, &in.Sound, &in.Attested, &in.HypervisorSound,
	} {
		b = appendFact(b, f)
	}
	b = appendText(b, in.EscapeKnown)
	b = appendText(b, in.HypervisorFlaw)
	b = appendTexts(b, in.Baseline)
	return appendTexts(b, in.Restricted)
}

func appendContainer(b []byte, c *Container) []byte {
	b = appendText(b, c.Path)
	b = appendBool(b, c.Privileged)
	for _, n := range [...]int{c.Capabilities, c.MayHave, c.Spared} {
		b = appendInt(b, n)
	}
	b = appendText(b, c.Capable)
	b = appendTexts(b, c.Takeover)
	b = appendFact(b, &c.NonRoot)
	b = appendFact(b, &c.NoNewPrivileges)
	b = appendFact(b, &c.ReadOnlyRoot)
	b = appendText(b, c.Seccomp)
	b = appendBool(b, c.AppArmorOff)
	b = appendText(b, c.SELinuxOff)
	return appendFact(b, &c.MemoryBound)
}

func appendFact(b []byte, f *Fact) []byte {
	b = appendInt(b, int(f.State))
	b = appendText(b, f.Path)
	b = appendText(b, f.Value)
	b = appendText(b, f.Reason)
	return appendText(b, string(f.Gap))
}

func appendTexts(b []byte, list []string) []byte {
	b = appendInt(b, len(list))
	for _, text := range list {
		b = appendText(b, text)
	}
	return b
}

// appendText writes the length first: two texts never run into each other.
func appendText(b []byte, text string) []byte { return append(appendInt(b, len(text)), text...) }

func appendInt(b []byte, n int) []byte { return append(strconv.AppendInt(b, int64(n), 10), ';') }

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, '1')
	}
	return append(b, '0')
}
