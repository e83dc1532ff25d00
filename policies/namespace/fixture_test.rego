# METADATA
# description: One well kept namespace, whole as the collector writes it, and a way to say what is different about another.
package postscan.namespace.fixture_test

# namespace is the well kept one with some fields replaced; objects are merged.
namespace(changes) := object.union(clean, changes)

clean := {
	"name": "shop",
	"system": false,
	"class": {"trust": "", "tenant": "", "sensitivity": "", "api_free": false},
	"cluster": {"minor": 37, "distribution": "kubernetes", "always_pull_images": "unknown", "deny_external_ips": "unknown"},
	"pod_security": {
		"enforce": "restricted",
		"enforce_label": "restricted",
		"enforce_version": "latest",
		"enforce_minor": 999,
		"audit": "privileged",
		"audit_label": "unset",
		"audit_version": "latest",
		"audit_minor": 999,
		"warn": "restricted",
		"warn_label": "unset",
		"warn_version": "latest",
		"warn_minor": 999,
		"invalid": [],
	},
	"pod_security_default": "privileged",
	"guards": [],
	"deny_ingress": true,
	"deny_egress": true,
	"policies": {"kubernetes": 1, "cilium": 0, "calico": 0, "admin": 0},
	"policies_unread": 0,
	"quota": true,
	"quota_objects": true,
	"limit_range": true,
	"workloads": 1,
	"objects": [],
}
