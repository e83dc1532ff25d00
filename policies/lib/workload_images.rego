# METADATA
# description: The images that a workload names, for its containers and its image volumes.
package postscan.lib.workload_images

named contains {"what": sprintf("container %s", [c.name]), "key": c.name, "path": concat("", [c.path, ".image"]), "image": c.image} if {
	some c in input.containers
}

named contains {
	"what": sprintf("volume %s", [v.name]),
	"key": concat(" ", ["volume", v.name]),
	"path": concat("", [v.path, ".image.reference"]),
	"image": v.image,
} if {
	some v in input.volumes
	v.type == "image"
}

# readable are those whose name follows the rules for names of images.
readable contains i if {
	some i in named
	i.image.repository != ""
}

# unreadable says of each other that it cannot be judged.
unreadable contains sprintf("the image of %s cannot be read as the name of one", [i.what]) if {
	some i in named
	i.image.repository == ""
}

# mutable is true where the name means another image tomorrow: no digest, and no tag or latest.
mutable(image) if {
	image.digest == ""
	image.tag in {"", "latest"}
}
