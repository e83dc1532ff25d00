# METADATA
# description: Questions about the components of a control plane and their flags.
package postscan.lib.components

# given is true where the flag stands on the command line.
given(c, name) if {
	some f in c.flags
	f.name == name
}

# value is what the flag says; undefined without it.
value(c, name) := f.value if {
	some f in c.flags
	f.name == name
}

# absent is true where the default of the flag holds: it is not given, and
# nothing that was not read could set it.
absent(c, name) if {
	not given(c, name)
	not c.config_file
}

# off is true where the flag says false.
off(c, name) if lower(value(c, name)) == "false"

# on is true where the flag says true.
on(c, name) if lower(value(c, name)) == "true"

# default_on is true for a switch whose default is true and which is not off.
default_on(c, name) if absent(c, name)

default_on(c, name) if on(c, name)

# default_off is true for a switch whose default is false and which is not on.
default_off(c, name) if absent(c, name)

default_off(c, name) if off(c, name)

# items are the parts of a list that a flag gives; none without it.
items(c, name) := {trim_space(part) | some part in split(value(c, name), ",")}

# empty is true for a flag without which a file is not set.
empty(c, name) if absent(c, name)

empty(c, name) if value(c, name) == ""

# path is where the flag stands, or the component where it is not given.
path(c, name) := concat("", [c.path, sprintf(".flags[%d]", [i])]) if {
	some i, f in c.flags
	f.name == name
} else := c.path

# shown is what a finding shows of a flag.
shown(c, name) := value(c, name)

shown(c, name) := "not set" if not given(c, name)

# finding is a violation about one flag of one instance of a component.
finding(c, name, message) := {
	"message": sprintf("%s %s", [label(c), message]),
	"path": path(c, name),
	"value": shown(c, name),
	"key": concat("/", [c.where, c.name, name]),
}

# part_of is a finding about one part of what the flag says, so that several of
# one flag have keys of their own.
part_of(c, name, part, message) := object.union(
	finding(c, name, message),
	{"key": concat("/", [c.where, c.name, name, part])},
)

# rated is a finding with a severity of its own.
rated(c, name, message, severity) := object.union(finding(c, name, message), {"severity": severity})

# label names an instance.
label(c) := sprintf("%s on %s", [c.name, c.where]) if c.where != ""

label(c) := c.name if c.where == ""

# minor is the minor version that the image's tag tells; undefined where it does not.
minor(c) := to_number(regex.find_all_string_submatch_n(`^v?1\.(\d+)`, c.version, 1)[0][1])

# host is the host of an address with or without a scheme and a port.
host(address) := trim_space(address) if {
	regex.match(`^[0-9a-fA-F]*:[0-9a-fA-F:]*:[0-9a-fA-F.]*$`, trim_space(address))
} else := trim(parts[0][1], "[]") if {
	parts := regex.find_all_string_submatch_n(`^(?:[a-z]+://)?(\[[^\]]*\]|[^:/]*)`, trim_space(address), 1)
}

# loopback is true for an address that only the machine itself reaches.
loopback(address) if host(address) == "localhost"

loopback(address) if host(address) == "::1"

loopback(address) if startswith(host(address), "127.")

# socket is true for the address of a unix socket.
socket(address) if startswith(trim_space(address), "unix")

# plain is true for an http address that others reach.
plain(address) if {
	startswith(trim_space(address), "http://")
	not loopback(address)
}
