package web

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestOpenAPI holds the document to the routes, and the answers to the document.
func TestOpenAPI(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Content map[string]struct{ Schema any }
			}
		}
	}
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("api.go")
	if err != nil {
		t.Fatal(err)
	}
	var routes, described []string
	for _, m := range regexp.MustCompile(`"(?:(GET|POST|PUT) )?(/api/v1/[^"]+)"`).FindAllStringSubmatch(string(source), -1) {
		method := strings.ToLower(m[1])
		if method == "" {
			method = "get" // the table of what is read
		}
		routes = append(routes, method+" "+m[2])
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			described = append(described, method+" "+path)
		}
	}
	slices.Sort(routes)
	slices.Sort(described)
	if !slices.Equal(routes, described) {
		t.Errorf("routes:\n%s\ndescribed:\n%s", strings.Join(routes, "\n"), strings.Join(described, "\n"))
	}

	raw, err := jsonschema.UnmarshalJSON(strings.NewReader(string(openAPI)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("openapi.json", raw); err != nil {
		t.Fatal(err)
	}
	srv, s := testServer(t, nil)
	runs, err := s.Runs(t.Context(), "web", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for path := range doc.Paths {
		if doc.Paths[path]["get"].Responses == nil {
			continue
		}
		address := strings.NewReplacer("{name}", "web", "/findings/{id}", "/findings/1", "{id}", runs[0].ID).Replace(path)
		code, body := get(t, srv.Client(), srv.URL+address)
		if code != 200 {
			t.Errorf("%s: %d", address, code)
			continue
		}
		schema, err := c.Compile("openapi.json#/paths/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(path) + "/get/responses/200/content/application~1json/schema")
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}
