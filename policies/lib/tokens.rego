# METADATA
# description: Whether a workload has a token of its service account for the API server.
package postscan.lib.tokens

# mounted is true for the automatic token and for one that a mounted volume declares.
mounted if input.identity.automount

mounted if {
	some v in input.volumes
	count(v.mounts) > 0
	some t in v.tokens
	for_api(t.audience)
}

# for_api is true for the audiences that an API server takes by default.
for_api("")

for_api(audience) if contains(audience, "kubernetes.default.svc")
