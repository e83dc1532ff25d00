package main

import "k8s.io/apimachinery/pkg/runtime/schema"

// groupVersionKind puts together what the envelope of a stored object names.
func groupVersionKind(version, kind string) schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(version, kind)
}
