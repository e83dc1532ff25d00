# METADATA
# scope: package
# schemas:
#   - input: schema["node"]
# custom:
#   part_of: PS-CP-019
#   needs: [files]
package postscan.node.etcd_snapshot

deny contains {
	"message": sprintf("a backup of etcd is readable for others than its owner: mode %04o", [file.mode]),
	"path": sprintf("files[%d]", [i]),
	"value": file.path,
	"key": file.path,
} if {
	some i, file in input.files
	file.role == "etcd-snapshot"
	bits.and(file.mode, 63) != 0 # 0o077
}
