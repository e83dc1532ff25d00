# METADATA
# description: The images that a workload names, for its containers and its image volumes.
package postscan.lib.workload_images

# where is the field of a volume that names its image.
where(volume) := concat("", [volume.path, ".image.reference"])

# unreadable says of an image whose name does not follow the rules for names of images that it cannot be judged. It has no value for
# others. what is "container" or "volume", and holder the one that names the image.
unreadable(what, holder) := sprintf("the image of %s %s cannot be read as the name of one", [what, holder.name]) if {
	holder.image.repository == ""
}

# mutable is true where the name means another image tomorrow: no digest, and no tag or latest.
mutable(image) if {
	image.digest == ""
	image.tag in {"", "latest"}
}
