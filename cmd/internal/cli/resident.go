package cli

import "runtime/debug"

// streamingGC is the heap's growth, in percent, between two garbage collections
// while images are read: little is kept of what passes through, so collecting
// twice as often costs no time that can be measured, and saves a sixth of the memory.
const streamingGC = 50

// clusterHeap is what the memory of a cluster scan should stay below, in bytes:
// above it garbage is collected more often. A scan that needs more than that takes
// it, at the price of time.
const clusterHeap = 320 << 20

// keepHeapWithin bounds memory, unless GOMEMLIMIT says where.
func (a *app) keepHeapWithin(bytes int64) {
	if _, set := a.env.lookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(bytes)
	}
}

// keepHeapSmall makes the garbage collector run more often, unless GOGC says how often.
func (a *app) keepHeapSmall() {
	if _, set := a.env.lookupEnv("GOGC"); !set {
		debug.SetGCPercent(streamingGC)
	}
}
