//go:build !linux

package cli

// dropStartupPages does nothing where the system is not Linux.
func dropStartupPages() {}
