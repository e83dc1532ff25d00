package postscan.lib.workload_images_test

import data.postscan.lib.workload_images

image(repository) := {"reference": repository, "registry": "docker.io", "repository": repository, "tag": "", "digest": ""}

workload := {
	"containers": [
		{"name": "app", "path": "spec.containers[0]", "image": image("library/a")},
		{"name": "odd", "path": "spec.containers[1]", "image": image("")},
	],
	"volumes": [
		{"name": "model", "type": "image", "path": "spec.volumes[0]", "image": image("library/m")},
		{"name": "tmp", "type": "emptyDir", "path": "spec.volumes[1]", "image": image("")},
	],
}

test_where_a_volume_names_its_image if {
	workload_images.where(workload.volumes[0]) == "spec.volumes[0].image.reference"
}

test_a_name_that_cannot_be_read if {
	workload_images.unreadable("container", workload.containers[1]) == "the image of container odd cannot be read as the name of one"
	workload_images.unreadable("volume", workload.volumes[1]) == "the image of volume tmp cannot be read as the name of one"
	not workload_images.unreadable("container", workload.containers[0])
	not workload_images.unreadable("volume", workload.volumes[0])
}

test_mutable_names if {
	every case in [["", ""], ["latest", ""]] {
		workload_images.mutable({"tag": case[0], "digest": case[1]})
	}
	every case in [["1.2", ""], ["latest", "sha256:1"], ["", "sha256:1"]] {
		not workload_images.mutable({"tag": case[0], "digest": case[1]})
	}
}
