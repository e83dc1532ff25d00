package vm

import (
	"runtime"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// CPU is what the processor says of itself (CPUID).
type CPU struct {
	// Asked is false on processors without such an instruction.
	Asked bool
	// Hypervisor is true where leaf 1 says that one is there.
	Hypervisor bool
	// Vendor is the name in leaf 0x40000000; empty where there is none.
	Vendor string
	// Virtualization is vmx, svm or empty.
	Virtualization string
	// TDX: the guest runs in an Intel trust domain.
	TDX bool
}

// thisCPU asks the processor that this program runs on.
func thisCPU() CPU {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "386" {
		return CPU{}
	}
	c := CPU{
		Asked:      true,
		Hypervisor: cpuid.CPU.Supports(cpuid.HYPERVISOR),
		Vendor:     strings.TrimRight(cpuid.CPU.HypervisorVendorString, "\x00"),
		TDX:        cpuid.CPU.Supports(cpuid.TDX_GUEST),
	}
	switch {
	case cpuid.CPU.Supports(cpuid.VMX):
		c.Virtualization = "vmx"
	case cpuid.CPU.Supports(cpuid.SVM):
		c.Virtualization = "svm"
	}
	return c
}
