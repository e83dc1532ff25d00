package vm_test

import (
	"testing"

	"github.com/postscan/postscan/scanner/collect/vm"
)

// What real machines say of themselves, as people published it, RECORDED: the values are theirs. The trees of the other tests,
// and the processor's answers here, are written by hand after the manuals.
const (
	insights = "https://github.com/RedHatInsights/insights-core/blob/master/insights/tests/parsers/test_dmidecode.py"
	systemd  = "https://github.com/systemd/systemd/issues/18929"
	dsID     = "https://github.com/canonical/cloud-init/blob/main/tests/unittests/test_ds_identify.py"
	smbiosGE = "https://github.com/systemd/systemd/pull/38125"
)

func TestRecordedMachines(t *testing.T) {
	const id = "sys/class/dmi/id/"
	none := func() vm.CPU { return vm.CPU{} } // a processor that cannot be asked
	for name, tt := range map[string]struct {
		source                     string
		dmi                        files
		cpu                        func() vm.CPU
		cpuinfo                    string
		kind, hypervisor, provider string
	}{
		"VMware, 2014": {
			insights, files{id + "bios_vendor": "Phoenix Technologies LTD\n", id + "bios_version": "6.00\n", id + "sys_vendor": "VMware, Inc.\n", id + "product_name": "VMware Virtual Platform\n", id + "product_version": "None\n"},
			none, "", "vm", "vmware", "",
		},
		"EC2 on Xen, 2016": {
			insights, files{id + "bios_vendor": "Xen\n", id + "bios_version": "4.2.amazon\n", id + "sys_vendor": "Xen\n", id + "product_name": "HVM domU\n", id + "product_version": "4.2.amazon\n", id + "chassis_asset_tag": "Not Specified\n"},
			none, "", "vm", "xen", "aws",
		},
		"RHEV": {
			insights, files{id + "bios_vendor": "SeaBIOS\n", id + "bios_version": "1.9.1-5.el7_3.2\n", id + "sys_vendor": "Red Hat\n", id + "product_name": "RHEV Hypervisor\n", id + "product_version": "7.3-7.el7\n", id + "chassis_asset_tag": "Not Specified\n"},
			none, "", "vm", "kvm", "",
		},
		"HP server": {
			insights, files{id + "bios_vendor": "HP\n", id + "bios_version": "P70\n", id + "sys_vendor": "HP\n", id + "product_name": "ProLiant DL380p Gen8\n", id + "product_version": "Not Specified\n"},
			metal, "", "bare-metal", "none", "",
		},
		"EC2 on Graviton, virtual": {
			systemd, files{id + "sys_vendor": "Amazon EC2\n"}, none, "Features : fp asimd\n", "vm", "kvm", "aws",
		},
		"EC2 on Graviton, bare metal": {
			systemd, files{id + "sys_vendor": "Amazon EC2\n", id + "product_name": "m6g.metal\n"}, none, "Features : fp asimd\n", "bare-metal", "none", "aws",
		},
		"GCE, bare metal": {
			smbiosGE, files{id + "sys_vendor": "Google\n", id + "product_name": "Google Compute Engine\n"}, metal, "", "bare-metal", "none", "gce",
		},
		"Azure": {
			dsID, files{id + "chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77\n"}, none, "flags : fpu hypervisor\n", "vm", "hyper-v", "azure",
		},
		"Firecracker": { // the machine on which these tests were written: no DMI at all
			"FACP of the kernel 6.18 on Firecracker", files{"sys/firmware/acpi/tables/FACP": "FACP\x14\x01\x00\x00\x06\x00FIRECKFCVMFADT\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"}, kvm, "", "vm", "firecracker", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := guest().with(files{id + "sys_vendor": "", id + "product_name": "", id + "product_uuid": ""}).with(tt.dmi)
			if tt.cpuinfo != "" {
				root = root.with(files{"proc/cpuinfo": tt.cpuinfo})
			}
			doc, _ := machine(t, vm.Options{Root: root.write(t), CPU: tt.cpu, NoPackages: true})
			if m := doc.Machine; m.Kind != tt.kind || m.Hypervisor != tt.hypervisor || m.Provider != tt.provider {
				t.Errorf("%s (%s): got %+v", name, tt.source, m)
			}
		})
	}
}

// A disk without /etc, or with nothing in it, passes nothing that depends on it.
func TestDiskWithoutEtc(t *testing.T) {
	s := collect(t, vm.Options{Root: files{"usr/bin/true": "0755|x", "usr/sbin/sshd": "0755|x"}.write(t), Disk: true})
	if len(s.resources) != 1 {
		t.Fatalf("targets %+v", s.targets)
	}
	for _, o := range outcomes(t, s.resources[0], "PS-VM-*") {
		switch {
		case o.Status == "pass":
			t.Errorf("%s passes: %+v", o.Rule.ID, o)
		case o.Gap == "" && len(o.Violations) == 0 && o.Status != "not_applicable":
			t.Errorf("%s says nothing: %+v", o.Rule.ID, o)
		}
	}
	s = collect(t, vm.Options{Root: t.TempDir(), Disk: true})
	if len(s.resources) != 0 || len(s.targets) != 1 || s.targets[0].Error == "" {
		t.Errorf("an empty folder: targets %+v, %d resources", s.targets, len(s.resources))
	}
}
