package main

import (
	"fmt"
	"maps"
	"reflect"

	"github.com/invopop/jsonschema"

	"github.com/postscan/postscan/scanner"
)

// reportSchemaFile is where the schema of the report is published.
const reportSchemaFile = "scanner/report/schema/report.v1.json"

// reportSchema makes the JSON schema of the report. It lets a newer minor
// version add fields, as readers of a report should.
func reportSchema(root string) (files, error) {
	comments := map[string]string{}
	for _, dir := range []string{"scanner", "scanner/facts"} {
		c, err := goComments(root, dir)
		if err != nil {
			return nil, err
		}
		maps.Copy(comments, c)
	}
	severity := reflect.TypeFor[scanner.Severity]()
	r := jsonschema.Reflector{
		Anonymous: true, ExpandedStruct: true, AllowAdditionalProperties: true, CommentMap: comments,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			switch t {
			case severity:
				return &jsonschema.Schema{Type: "string", Enum: severities()}
			case reflect.MapOf(severity, reflect.TypeFor[int]()):
				return &jsonschema.Schema{
					Type: "object", PropertyNames: &jsonschema.Schema{Enum: severities()},
					AdditionalProperties: &jsonschema.Schema{Type: "integer"},
				}
			default:
				return nil
			}
		},
	}
	s := r.Reflect(&scanner.Report{})
	s.Title = "postscan report"
	s.ID = "https://" + module + "/raw/main/" + reportSchemaFile
	b, err := encode(s)
	if err != nil {
		return nil, fmt.Errorf("write the schema of the report: %w", err)
	}
	return files{reportSchemaFile: b}, nil
}

// severities lists the names of all severities, worst first.
func severities() []any {
	var names []any
	for s := scanner.SeverityCritical; s >= scanner.SeverityUnknown; s-- {
		names = append(names, s.String())
	}
	return names
}
