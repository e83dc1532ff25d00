package scanner

import (
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// sortGrouped sorts a long list of large elements: first by group, and by within in
// each of them. Groups are sorted on all processors, and each element is moved once.
func sortGrouped[T any, G comparable](list []T, group func(*T) G, compareGroups func(a, b G) int, within func(a, b *T) int) {
	groups := map[G][]int32{}
	var last G
	var of []int32 // of the last group
	for i := range list {
		g := group(&list[i])
		if i == 0 || g != last {
			if i > 0 {
				groups[last] = of
			}
			last, of = g, groups[g]
		}
		of = append(of, int32(i))
	}
	if len(list) > 0 {
		groups[last] = of
	}
	names := slices.SortedFunc(maps.Keys(groups), compareGroups)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(names)) {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(len(names)); n = next.Add(1) {
				slices.SortFunc(groups[names[n-1]], func(i, j int32) int { return within(&list[i], &list[j]) })
			}
		})
	}
	wg.Wait()
	order := make([]int32, 0, len(list))
	for _, name := range names {
		order = append(order, groups[name]...)
	}
	reorder(list, order)
}

// reorder moves every element to the place at which order holds its index. order is
// used up.
func reorder[T any](list []T, order []int32) {
	const done = -1
	for start := range order {
		if order[start] == done {
			continue
		}
		first, at := list[start], start
		for {
			from := int(order[at])
			order[at] = done
			if from == start {
				list[at] = first
				break
			}
			list[at], at = list[from], from
		}
	}
}
