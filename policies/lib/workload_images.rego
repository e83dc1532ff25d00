# METADATA
# description: The images that a workload names, for its containers and its image volumes.
package postscan.lib.workload_images

# where is the field of a volume that names its image.
where(volume) := concat("", [volume.path, ".image.reference"])

# unreadable says of each image whose name does not follow the rules for names of images that it cannot be judged.
unreadable contains sprintf("the image of container %s cannot be read as the name of one", [c.name]) if {
	some c in input.containers
	c.image.repository == ""
}

unreadable contains sprintf("the image of volume %s cannot be read as the name of one", [v.name]) if {
	some v in input.volumes
	v.type == "image"
	v.image.repository == ""
}

# mutable is true where the name means another image tomorrow: no digest, and no tag or latest.
mutable(image) if {
	image.digest == ""
	image.tag in {"", "latest"}
}
