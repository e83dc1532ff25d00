package inventory

import (
	"strings"
	"testing"
)

func TestLanguagePackages(t *testing.T) {
	for _, tc := range []struct {
		name, path, content string
		want                string // as names joins them
		gap                 bool
	}{
		{"node", "app/node_modules/@scope/pkg/package.json", `{"name":"@scope/pkg","version":"1.2.3","license":"MIT"}`, "node-pkg @scope/pkg 1.2.3", false},
		{"node with a byte order mark", "a/node_modules/b/package.json", "\xef\xbb\xbf" + `{"name":"b","version":"1.0.0"}`, "node-pkg b 1.0.0", false},
		{"node, a hint for bundlers", "a/node_modules/rxjs/ajax/package.json", `{"name":"rxjs/ajax"}`, "", false},
		{"node, the application", "app/package.json", `{"name":"app","version":"0.1.0"}`, "node-pkg app 0.1.0", false},
		{"node, broken", "app/node_modules/b/package.json", `{"name":`, "", true},
		{"node, broken scoped", "app/node_modules/@s/b/package.json", `{"name":`, "", true},
		{"node, broken test data", "app/node_modules/resolve/test/malformed/package.json", `{{`, "", false},
		{"wheel", "opt/venv/lib/python3.11/site-packages/requests-2.31.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: requests\nVersion: 2.31.0\nLicense: Apache 2.0\nClassifier: License :: OSI Approved :: Apache Software License\n\nName: not this\n", "python-pkg requests 2.31.0", false},
		{"egg-info file", "srv/lib/argparse-1.4.0.egg-info", "Metadata-Version: 1.0\nName: argparse\nVersion: 1.4.0\n", "python-pkg argparse 1.4.0", false},
		{"egg-info directory", "srv/lib/x.egg-info/PKG-INFO", "Name: x\nVersion: 1\n", "python-pkg x 1", false},
		{"egg directory", "srv/lib/y.egg/EGG-INFO/PKG-INFO", "Name: y\nVersion: 2\n", "python-pkg y 2", false},
		{"wheel, no version", "srv/z.dist-info/METADATA", "Name: z\n", "", true},
		{"some other METADATA", "srv/z/METADATA", "Name: z\n", "", false},
		{"gem", "usr/local/bundle/specifications/rack-2.2.8.gemspec", "Gem::Specification.new do |s|\n  s.name = \"rack\".freeze\n  s.version = \"2.2.8\"\n  s.licenses = [\"MIT\".freeze, \"Ruby\".freeze]\nend\n", "gemspec rack 2.2.8", false},
		{"gem, without values", "usr/local/bundle/specifications/x.gemspec", "Gem::Specification.new do |s|\nend\n", "", true},
		{"gem in a source tree", "srv/app/app.gemspec", "Gem::Specification.new do |s|\n s.name = \"a\"\n s.version = \"1\"\n", "", false},
		{"conda", "opt/conda/envs/e/conda-meta/numpy-1.26.0-py311_0.json", `{"name":"numpy","version":"1.26.0","license":"BSD"}`, "conda-pkg numpy 1.26.0", false},
		{"conda, base environment", "opt/conda/conda-meta/pip-23.1-py311_0.json", `{"name":"pip","version":"23.1"}`, "conda-pkg pip 23.1", false},
		{"conda, history", "opt/conda/conda-meta/history.json", `[]`, "", false},
		{"composer 2", "app/vendor/composer/installed.json", `{"packages":[{"name":"monolog/monolog","version":"2.9.1","license":["MIT"]}],"dev":false}`, "composer-vendor monolog/monolog 2.9.1", false},
		{"composer 1", "app/vendor/composer/installed.json", `[{"name":"monolog/monolog","version":"1.0"}]`, "composer-vendor monolog/monolog 1.0", false},
		{"composer, broken", "app/vendor/composer/installed.json", `{"packages":3}`, "", true},
		{"somebody else's installed.json", "opt/x/installed.json", `"yes"`, "", false},
		{
			"dotnet", "app/App.deps.json",
			`{"runtimeTarget":{"name":"t"},"targets":{"t":{"A/1.0":{"runtime":{"a.dll":{}}},"B/2.0":{"compile":{}},"runtimepack.R/6.0":{"native":{"x":{}}}}},"libraries":{"A/1.0":{"type":"package"},"B/2.0":{"type":"package"},"C/3.0":{"type":"Package"},"D/1":{"type":"referenceassembly"},"runtimepack.R/6.0":{"type":"runtimepack"}}}`,
			"dotnet-core A 1.0, dotnet-core C 3.0, dotnet-core R 6.0", false,
		},
		{"dotnet, broken", "app/App.deps.json", `[]`, "", true},
		{"nuget lock", "app/packages.lock.json", `{"dependencies":{"net8.0":{"X":{"type":"Direct","resolved":"1.0"},"Y":{"type":"Project"}}}}`, "nuget X 1.0", false},
		{"nuget config", "app/packages.config", `<packages><package id="X" version="1.0"/><package id="D" version="1" developmentDependency="true"/></packages>`, "nuget X 1.0", false},
		{"packages.props", "app/Directory.Packages.props", `<Project><ItemGroup><PackageVersion Include="X" Version="1.0"/><PackageVersion Include="Y" Version="$(V)"/></ItemGroup></Project>`, "packages-props X 1.0", false},
		{"wordpress", "var/www/html/wp-includes/version.php", "<?php\n/** WordPress Version */\n$wp_version = '6.4.1';\n", "wordpress wordpress 6.4.1", false},
		{"some other version.php", "var/www/html/version.php", "<?php\n$wp_version = '6.4.1';\n", "", false},
		{"cargo", "app/Cargo.lock", "[[package]]\nname = \"serde\"\nversion = \"1.0.190\"\n", "cargo serde 1.0.190", false},
		{"cargo, broken", "app/Cargo.lock", "[[package\n", "", true},
		{"julia", "app/Manifest.toml", "julia_version = \"1.9.0\"\nmanifest_format = \"2.0\"\n[[deps.JSON]]\nuuid = \"u\"\nversion = \"0.21.4\"\n[[deps.Dates]]\nuuid = \"v\"\n", "julia Dates 1.9.0, julia JSON 0.21.4", false},
		{"cyclonedx", "app/bom.cdx.json", `{"bomFormat":"CycloneDX","components":[{"type":"library","name":"left-pad","version":"1.3.0","purl":"pkg:npm/left-pad@1.3.0","components":[{"type":"library","name":"x","version":"2","purl":"pkg:pypi/x@2"}]},{"type":"library","name":"nothing"}]}`, "node-pkg left-pad 1.3.0, python-pkg x 2", false},
		{"spdx", "app/x.spdx.json", `{"SPDXID":"SPDXRef-DOCUMENT","packages":[{"SPDXID":"SPDXRef-p","name":"requests","versionInfo":"2","externalRefs":[{"referenceCategory":"PACKAGE_MANAGER","referenceType":"purl","referenceLocator":"pkg:pypi/requests@2"}]}]}`, "python-pkg requests 2", false},
		{"spdx text", "app/x.spdx", "SPDXVersion: SPDX-2.3\nPackageName: requests\nExternalRef: PACKAGE-MANAGER purl pkg:pypi/requests@2\nPackageName: none\n", "python-pkg requests 2", false},
		{"no bill of materials", "app/x.spdx.json", `{"some":"thing"}`, "", false},
		{"bitnami", "opt/bitnami/nginx/.spdx-nginx.spdx", `{"SPDXID":"SPDXRef-DOCUMENT","packages":[{"SPDXID":"SPDXRef-p","name":"nginx","versionInfo":"1.25","externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:bitnami/nginx@1.25?arch=amd64"}]}]}`, "bitnami nginx 1.25", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inv := merge(t, Runtime{}, scan(t, Options{}, file{path: tc.path, content: tc.content}))
			if got := strings.Join(names(inv), ", "); got != tc.want {
				t.Errorf("packages %q, want %q", got, tc.want)
			}
			gap, ok := inv.Missing["packages"]
			if ok != tc.gap || ok && !strings.Contains(gap.Reason, tc.path) {
				t.Errorf("missing %+v, want one: %t", inv.Missing, tc.gap)
			}
			for _, p := range inv.Packages {
				if !strings.HasPrefix(p.Purl, "pkg:") || p.Class != "language" || p.Layer != 0 || !strings.HasPrefix(tc.path, p.Path) {
					t.Errorf("package %+v", p)
				}
			}
		})
	}
}

func TestLicenses(t *testing.T) {
	for _, tc := range []struct{ path, content, want string }{
		{"a/node_modules/b/package.json", `{"name":"b","version":"1.0.0","license":{"type":"ISC"}}`, "ISC"},
		{"a/node_modules/b/package.json", `{"name":"b","version":"1.0.0","licenses":[{"type":"MIT"},{"type":"BSD"}]}`, "MIT BSD"},
		{"x.dist-info/METADATA", "Name: x\nVersion: 1\nLicense-Expression: MIT OR Apache-2.0\nLicense: text\n", "MIT OR Apache-2.0"},
		{"s/specifications/x.gemspec", "Gem::Specification.new do |s|\n s.name = 'x'\n s.version = '1'\n s.license = 'MIT'\n", "MIT"},
	} {
		inv := merge(t, Runtime{}, scan(t, Options{}, file{path: tc.path, content: tc.content}))
		if len(inv.Packages) != 1 || strings.Join(inv.Packages[0].Licenses, " ") != tc.want {
			t.Errorf("%s: %+v, want %s", tc.content, inv.Packages, tc.want)
		}
	}
}

// TestCargoDevelopment leaves out what only tests need.
func TestCargoDevelopment(t *testing.T) {
	inv := merge(t, Runtime{}, scan(t, Options{},
		file{path: "app/Cargo.lock", content: "[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\"rand\", \"tempfile\"]\n[[package]]\nname = \"rand\"\nversion = \"0.8.5\"\ndependencies = [\"libc\", \"rand_core 0.6.4\"]\n[[package]]\nname=\"libc\"\nversion=\"0.2.1\"\n[[package]]\nname=\"rand_core\"\nversion=\"0.6.4\"\n[[package]]\nname=\"rand_core\"\nversion=\"0.5.0\"\n[[package]]\nname=\"tempfile\"\nversion=\"3.1.0\"\ndependencies=[\"rand_core 0.5.0\"]\n[[package]]\nname=\"member\"\nversion=\"0.3.0\"\n"},
		file{path: "app/Cargo.toml", content: "[package]\nname=\"app\"\nversion=\"0.1.0\"\n[dependencies]\nrand = { version = \"0.8\" }\n[dev-dependencies]\ntempfile = \"3\"\n[workspace]\nmembers = [\"crates/*\"]\n"},
		file{path: "app/crates/m/Cargo.toml", content: "[package]\nname=\"member\"\nversion=\"0.3.0\"\n"}))
	if got, want := strings.Join(names(inv), ", "), "cargo app 0.1.0, cargo libc 0.2.1, cargo member 0.3.0, cargo rand 0.8.5, cargo rand_core 0.6.4"; got != want {
		t.Errorf("packages\n got %s\nwant %s", got, want)
	}
}

func TestReadSBOM(t *testing.T) {
	bom, err := ReadSBOM([]byte(`{"bomFormat":"CycloneDX","components":[
		{"type":"operating-system","name":"debian","version":"12.4"},
		{"type":"library","name":"libssl3","version":"3.0.11-1~deb12u2","purl":"pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12.4&epoch=1","properties":[{"name":"aquasecurity:trivy:SrcName","value":"openssl"},{"name":"aquasecurity:trivy:SrcVersion","value":"3.0.11"},{"name":"aquasecurity:trivy:SrcRelease","value":"1~deb12u2"}]},
		{"type":"library","group":"@angular","name":"core","version":"16.0.0","purl":"pkg:npm/%40angular/core@16.0.0","licenses":[{"license":{"id":"MIT"}}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	d, pkgs := bom.Distribution, bom.Packages
	if d.Family != "debian" || d.Version != "12.4" || len(pkgs) != 2 || len(bom.Nameless) != 0 {
		t.Fatalf("%+v", bom)
	}
	deb, npm := pkgs[0], pkgs[1]
	if deb.Type != "debian" || deb.Version != "3.0.11" || deb.Release != "1~deb12u2" || deb.Epoch != 1 || deb.SourceName != "openssl" || deb.SourceRelease != "1~deb12u2" {
		t.Errorf("deb %+v", deb)
	}
	if npm.Type != "node-pkg" || npm.Name != "@angular/core" || npm.Licenses[0] != "MIT" {
		t.Errorf("npm %+v", npm)
	}
	if _, err := ReadSBOM([]byte("hello")); err == nil {
		t.Error("no error for what is no SBOM")
	}
}
