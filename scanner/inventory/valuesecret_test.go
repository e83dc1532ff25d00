package inventory

import "testing"

func TestValueSecrets(t *testing.T) {
	const token = "ghp_" + "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx"
	for _, tt := range []struct {
		about, name, value string
		file               bool
		rule               string
		line               int
	}{
		{about: "the name says it", name: "DB_PASSWORD", value: "Xk29fj3Lq0z", rule: HighEntropy},
		{about: "the pattern says it", name: "GREETING", value: token, rule: "github-pat"},
		{about: "an argument", value: "--password=Xk29fj3Lq0z", rule: HighEntropy},
		{about: "a line of a file", name: "app.conf", value: "listen=80\nkey=" + token + "\n", file: true, rule: "github-pat", line: 2},
		{about: "a key of a ConfigMap", name: "api_token", value: "Xk29fj3Lq0z", file: true, rule: HighEntropy},
		{about: "a word", name: "DB_PASSWORD", value: "changeme"},
		{about: "no credential's name", name: "BUILD", value: "Xk29fj3Lq0z"},
		{about: "a plain argument", value: "--listen=:8080"},
	} {
		found := ValueSecrets(tt.name, tt.value, tt.file)
		switch {
		case tt.rule == "" && len(found) > 0:
			t.Errorf("%s: found %v, want nothing", tt.about, found[0].Rule)
		case tt.rule == "":
		case len(found) != 1 || found[0].Rule != tt.rule || found[0].Line != tt.line:
			t.Errorf("%s: found %+v, want %s in line %d", tt.about, found, tt.rule, tt.line)
		case found[0].Length == 0 || found[0].Length > len(tt.value):
			t.Errorf("%s: length %d of a value of %d", tt.about, found[0].Length, len(tt.value))
		}
	}
}
