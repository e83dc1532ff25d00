# METADATA
# description: Questions about slash-separated paths of a file tree.
package postscan.lib.paths

# clean is the path absolute and without doubled or trailing slashes. It does not
# resolve "..": a fact never holds one.
clean(path) := concat("", ["/", concat("/", [part | some part in split(path, "/"); not part in {"", "."}])])

# under is true where the path is the folder or stands below it.
under(path, folder) if clean(path) == clean(folder)

under(path, folder) if {
	prefix := trim_right(clean(folder), "/")
	startswith(clean(path), concat("", [prefix, "/"]))
}

# base is the last part of the path, "" for the root.
base(path) := name if {
	parts := split(clean(path), "/")
	name := parts[count(parts) - 1]
}
