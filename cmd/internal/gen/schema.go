package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/postscan/postscan/scanner/facts"
)

const module = "github.com/postscan/postscan"

// draft07 is the newest draft that OPA's schema compiler reads.
const draft07 = "http://json-schema.org/draft-07/schema#"

// schemaDir holds the schemas of the facts and nothing else: opa reads every file of it.
const schemaDir = "scanner/facts/schema"

// factsSchemas makes one JSON schema for each kind of facts document. Everything
// is written in place, required and closed, without null or anyOf: those switch
// off the type checks of policies below them.
func factsSchemas(root string) (files, error) {
	comments, err := goComments(root, "scanner/facts")
	if err != nil {
		return nil, err
	}
	out := files{}
	for _, kind := range facts.Kinds() {
		r := jsonschema.Reflector{Anonymous: true, DoNotReference: true, ExpandedStruct: true, CommentMap: comments}
		s := r.Reflect(facts.New(kind))
		s.Version = draft07
		s.Title = "postscan facts: " + string(kind)
		b, err := encode(s)
		if err != nil {
			return nil, fmt.Errorf("write the schema of %s: %w", kind, err)
		}
		out[schemaDir+"/"+string(kind)+".json"] = b
	}
	return out, nil
}

// goComments reads the doc comments of a package, by "import/path.Type.Field".
func goComments(root, dir string) (map[string]string, error) {
	var r jsonschema.Reflector
	full := filepath.Join(root, filepath.FromSlash(dir))
	if err := r.AddGoComments("", full, jsonschema.WithFullComment()); err != nil {
		return nil, fmt.Errorf("read the comments of %s: %w", dir, err)
	}
	out := make(map[string]string, len(r.CommentMap))
	for key, text := range r.CommentMap {
		name := strings.TrimPrefix(key, filepath.ToSlash(full))
		out[module+"/"+dir+name] = strings.Join(strings.Fields(text), " ")
	}
	return out, nil
}

// encode writes indented JSON as people would: < and > stay as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.Bytes(), err
}
