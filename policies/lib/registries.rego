# METADATA
# description: The registries that images may come from, by the parameter allowed_registries.
package postscan.lib.registries

# A prefix ends at a slash: "ghcr.io/acme" allows "ghcr.io/acme/app", not "ghcr.io/acme-two/app".
allowed(name) if {
	some entry in data.params.allowed_registries
	startswith(concat("", [name, "/"]), concat("", [prefix(entry), "/"]))
}

# An entry is read as an image name is: without a host it is on docker.io. "/", "/*" and "/**"
# at its end add nothing; an entry that is empty then allows nothing.
prefix(entry) := canonical(trimmed) if {
	trimmed := trimmed_end(entry)
	has_host(trimmed)
} else := concat("/", ["docker.io", trimmed_end(entry)])

trimmed_end(entry) := regex.replace(entry, `(?:/+\**)+$`, "")

has_host(entry) if {
	host := split(entry, "/")[0]
	regex.match(`[.:]|^localhost$`, host)
}

# Docker Hub has several names.
canonical(text) := regex.replace(text, `^(?:index\.docker\.io|registry-1\.docker\.io|registry\.hub\.docker\.com)(/|$)`, "docker.io$1")
