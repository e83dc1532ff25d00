// The published JSON schema of SPDX 2.3, which stands in this module's folder schema; nothing of it is built.
module github.com/postscan/postscan/.ci/tools/spdx-schema

go 1.26.3

require github.com/anchore/syft v1.18.1
