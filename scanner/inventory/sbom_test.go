package inventory

import "testing"

// TestSourceEpochOfSBOM: Debian's advisories are matched by the version of the
// source package, and without its epoch everything looks old.
func TestSourceEpochOfSBOM(t *testing.T) {
	const doc = `{"bomFormat": "CycloneDX", "components": [
		{"type": "operating-system", "name": "debian", "version": "12.5"},
		{"type": "library", "name": "diffutils", "version": "1:3.8-4", "purl": "pkg:deb/debian/diffutils@3.8-4?arch=amd64&epoch=1", "properties": [
			{"name": "aquasecurity:trivy:SrcName", "value": "diffutils"}, {"name": "aquasecurity:trivy:SrcVersion", "value": "3.8"},
			{"name": "aquasecurity:trivy:SrcRelease", "value": "4"}, {"name": "aquasecurity:trivy:SrcEpoch", "value": "1"}]}]}`
	bom, err := ReadSBOM([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	pkgs := bom.Packages
	if len(pkgs) != 1 {
		t.Fatalf("packages %+v, want one", pkgs)
	}
	if p := pkgs[0]; p.SourceEpoch != 1 || p.SourceVersion != "3.8" || p.SourceRelease != "4" || p.Epoch != 1 {
		t.Errorf("package %+v, want source 1:3.8-4", p)
	}
}
