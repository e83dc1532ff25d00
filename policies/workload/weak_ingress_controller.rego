# METADATA
# scope: package
# title: Weak ingress controller
# description: |
#   The workload is the ingress-nginx controller, whose project was retired in March 2026: no flaw in it is mended any more, and it
#   can read the Secrets of every namespace. Worse are versions before 1.11.5 and 1.12.1, in which anyone on the pod network runs
#   code in the controller (CVE-2025-1974), and snippets: configuration that an annotation of any Ingress puts into the
#   controller. An Ingress that uses a snippet is told too.
# related_resources:
#   - ref: https://kubernetes.io/blog/2025/11/11/ingress-nginx-retirement/
#     description: Ingress NGINX retirement
#   - ref: https://nvd.nist.gov/vuln/detail/CVE-2025-1974
#     description: CVE-2025-1974
#   - ref: https://gateway-api.sigs.k8s.io/guides/getting-started/migrating-from-ingress/
#     description: Moving from Ingress to Gateway API
# schemas:
#   - input: schema["workload"]
# custom:
#   id: PS-NET-011
#   severity: high
#   needs: [ingress_controller.name, ingress_controller.version, ingress_controller.snippets_allowed, ingress_controller.path, pod_path]
#   remediation: |
#     Move to a maintained implementation of the Gateway API, or to a maintained ingress controller. Until then run the last
#     release, keep allow-snippet-annotations false, and let only the API server reach the admission webhook.
#   references:
#     nsa-cisa: [UPG1]
#     attack-containers: [T1190]
#     owasp-k8s: [K07]
#     cwe: ["94"]
#     isolation: [W3]
#   since: "0.1.0"
package postscan.workload.weak_ingress_controller

applies if input.ingress_controller.name == "ingress-nginx"

deny contains {
	"message": "ingress-nginx is retired and gets no more fixes",
	"path": image_path,
	"value": input.ingress_controller.version,
	"key": "retired",
} if {
	applies
}

deny contains {
	"message": sprintf("version %s lets anyone on the pod network run code in it (CVE-2025-1974)", [input.ingress_controller.version]),
	"path": image_path,
	"value": input.ingress_controller.version,
	"key": "CVE-2025-1974",
} if {
	applies
	vulnerable
}

deny contains {
	"message": "allow-snippet-annotations is true: every Ingress may write the controller's configuration",
	"path": input.pod_path,
	"value": true,
	"key": "snippets",
} if {
	applies
	input.ingress_controller.snippets_allowed == "true"
}

unknown contains "the version of ingress-nginx cannot be read from the image's tag" if {
	applies
	count(version) != 3
}

# version is [major, minor, patch], whatever follows it.
version := [to_number(n) | some n in array.slice(parts, 1, 4)]

parts := regex.find_all_string_submatch_n(`^(\d+)\.(\d+)\.(\d+)`, input.ingress_controller.version, 1)[0]

vulnerable if version < [1, 11, 5]

vulnerable if version == [1, 12, 0]

image_path := concat("", [input.ingress_controller.path, ".image"])
