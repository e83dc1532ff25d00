package main

import (
	"fmt"

	"github.com/invopop/jsonschema"

	"github.com/postscan/postscan/scanner/facts"
)

// streamFile is the schema of one line of a facts file.
const streamFile = "scanner/facts/stream.v1.json"

// streamSchema makes the schema of a line of a facts file: one of header,
// target, source, resource and trailer. The facts of a resource are those of its
// kind, by reference to the schema beside.
func streamSchema(root string) (files, error) {
	comments, err := goComments(root, "scanner/facts")
	if err != nil {
		return nil, err
	}
	line := &jsonschema.Schema{
		Version: jsonschema.Version, Type: "object", Title: "postscan facts: one line of the stream",
		Description: "A facts file is JSON Lines: one header, any number of targets, sources and resources, one trailer.",
		Properties:  jsonschema.NewProperties(),
	}
	for _, part := range []struct {
		name  string
		value any
	}{
		{"header", facts.Header{}},
		{"target", facts.Target{}},
		{"source", facts.Source{}},
		{"resource", facts.Resource{}},
		{"trailer", facts.Trailer{}},
	} {
		// Another minor version may add fields to the envelope, as to the facts.
		r := jsonschema.Reflector{Anonymous: true, DoNotReference: true, ExpandedStruct: true, AllowAdditionalProperties: true, CommentMap: comments}
		s := r.Reflect(part.value)
		s.Version = ""
		if part.name == "resource" {
			s.AllOf = factsByKind()
		}
		line.Properties.Set(part.name, s)
		line.OneOf = append(line.OneOf, &jsonschema.Schema{Required: []string{part.name}})
	}
	line.AdditionalProperties = jsonschema.FalseSchema
	b, err := encode(line)
	if err != nil {
		return nil, fmt.Errorf("write the schema of the facts stream: %w", err)
	}
	return files{streamFile: b}, nil
}

// factsByKind says, for each kind, which schema the facts have.
func factsByKind() []*jsonschema.Schema {
	var out []*jsonschema.Schema
	for _, kind := range facts.Kinds() {
		is, has := jsonschema.NewProperties(), jsonschema.NewProperties()
		is.Set("kind", &jsonschema.Schema{Const: string(kind)})
		has.Set("facts", &jsonschema.Schema{Ref: "schema/" + string(kind) + ".json"})
		out = append(out, &jsonschema.Schema{If: &jsonschema.Schema{Properties: is}, Then: &jsonschema.Schema{Properties: has}})
	}
	return out
}
