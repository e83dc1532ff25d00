//go:build !unix

package vulndb

const helperDir = "POSTSCAN_TEST_UPDATE_DIR"

func updateWithoutSpace(string) {}
