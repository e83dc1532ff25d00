# METADATA
# description: The Pod Security Standards, as the admission plugin of Kubernetes reads them.
package postscan.lib.pod_security

# minor is the version of the standards that is in force: the minor version of
# Kubernetes, 999 for the latest. A version that cannot be read counts as the
# latest, the strictest.
default minor := 999

minor := input.namespace.pod_security.enforce_minor if object.get(data.params, "pss_version", "") == ""

minor := to_number(trim_prefix(data.params.pss_version, "v1.")) if regex.match(`^v1\.[0-9]+$`, data.params.pss_version)

# windows is what the standards take for a Windows pod: node selectors do not count.
windows if input.os == "windows"

# exempt_windows is true where the restricted level spares Windows pods.
exempt_windows if {
	windows
	minor >= 25
}

# user_namespace is true where root in the pod is not root on the node.
user_namespace if input.host_users == "false"

# relaxed is true where the standards are content with a user namespace.
relaxed if {
	user_namespace
	minor >= 35
}

# shown is the value of a field as a message tells it: one that is there and empty is no value that the API server takes.
shown(value) := "empty" if {
	value == ""
} else := value
