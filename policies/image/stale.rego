# METADATA
# scope: package
# title: Image is stale
# description: |
#   The image was built longer ago than the policy allows. Fixes that its base has had since then are not in it, and the longer it
#   stands, the more of what was published in the meantime applies to it. Age is read from the time of creation in the image's
#   configuration. A time before the year 2000 (reproducible builds set 1970 or 1980) or in the future says nothing about age, and
#   the answer is unknown.
# related_resources:
#   - ref: https://docs.docker.com/build/building/best-practices/#rebuild-your-images-often
#     description: Rebuilding images often
#   - ref: https://reproducible-builds.org/docs/source-date-epoch/
#     description: SOURCE_DATE_EPOCH, the time that reproducible builds write
# schemas:
#   - input: schema["image"]
# custom:
#   id: PS-IMG-016
#   severity: low
#   needs: [created]
#   params:
#     - name: max_image_age_days
#       type: number
#       default: 90
#       description: Age in days above which an image is stale
#   remediation: |
#     Rebuild on a schedule that is shorter than max_image_age_days, with a fresh base ("docker build --pull --no-cache"), and roll
#     the result out. For reproducible builds set SOURCE_DATE_EPOCH to the time of the commit, so that the age can be seen.
#   references:
#     nist-800-190: ["4.1.1", "4.2.2"]
#     nsa-cisa: [UPG1]
#     isolation: [W6]
#   since: "0.1.0"
package postscan.image.stale

ns_per_day := ((24 * 60) * 60) * 1000000000

# Times in RFC 3339 and UTC sort as text, and only years up to 2262 fit into nanoseconds.
plausible if {
	input.created >= "2000"
	input.created < "2262"
}

age_ns := time.parse_rfc3339_ns(data.params.now) - time.parse_rfc3339_ns(input.created) if plausible

deny contains {
	"message": sprintf("built %d days ago, %v are allowed", [floor(age_ns / ns_per_day), data.params.max_image_age_days]),
	"path": "created",
	"value": input.created,
} if {
	age_ns > data.params.max_image_age_days * ns_per_day
}

unknown contains "the time of creation is one that builds write to hide it, so the age cannot be told" if {
	not plausible
}

# Clocks differ by minutes; a day is no such difference.
unknown contains "the time of creation lies in the future, so the age cannot be told" if {
	age_ns < 0 - ns_per_day
}
