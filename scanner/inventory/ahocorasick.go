package inventory

// matcher finds many strings in one pass over a text, without regard to case. It
// is an automaton after Aho and Corasick with a complete table: one lookup for
// each byte of the text.
type matcher struct {
	class  [256]uint8 // bytes that mean the same; 0 is in no string
	width  int        // entries of a state, a power of two
	next   []uint16   // by state*width+class; hitBit marks states that end a string
	ending [][]uint16 // by state: the strings that end there
}

const hitBit = 1 << 15

// newMatcher makes a matcher of strings in lower case. Their number and length
// are those of a rule set: all together stay below 32,768 bytes.
func newMatcher(words []string) *matcher {
	m := &matcher{}
	classes := 1
	for _, w := range words {
		for i := range len(w) {
			if m.class[w[i]] == 0 {
				m.class[w[i]] = uint8(classes)
				classes++
			}
		}
	}
	for c := byte('a'); c <= 'z'; c++ {
		m.class[c-'a'+'A'] = m.class[c]
	}
	m.width = 1
	for m.width < classes {
		m.width *= 2
	}
	type node struct {
		child map[uint8]int
		fail  int
		ends  []uint16
	}
	nodes := []node{{child: map[uint8]int{}}}
	for id, w := range words {
		at := 0
		for i := range len(w) {
			c := m.class[w[i]]
			to, ok := nodes[at].child[c]
			if !ok {
				to = len(nodes)
				nodes = append(nodes, node{child: map[uint8]int{}})
				nodes[at].child[c] = to
			}
			at = to
		}
		nodes[at].ends = append(nodes[at].ends, uint16(id))
	}
	m.next = make([]uint16, len(nodes)*m.width)
	queue := []int{0}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for c := range m.width {
			to, ok := nodes[at].child[uint8(c)]
			if !ok {
				if at != 0 {
					m.next[at*m.width+c] = m.next[nodes[at].fail*m.width+c] &^ hitBit
				}
				continue
			}
			if at != 0 {
				nodes[to].fail = int(m.next[nodes[at].fail*m.width+c] &^ hitBit)
				nodes[to].ends = append(nodes[to].ends, nodes[nodes[to].fail].ends...)
			}
			m.next[at*m.width+c] = uint16(to) //nolint:gosec // states are fewer than hitBit
			queue = append(queue, to)
		}
	}
	m.ending = make([][]uint16, len(nodes))
	for i := range nodes {
		m.ending[i] = nodes[i].ends
	}
	for i, to := range m.next {
		if len(m.ending[to]) > 0 {
			m.next[i] = to | hitBit
		}
	}
	return m
}

// find calls hit with every string that occurs and where it ends.
func (m *matcher) find(text []byte, hit func(word, end int)) {
	state, width, next := 0, m.width, m.next
	for i, b := range text {
		to := next[state*width+int(m.class[b])]
		if to&hitBit == 0 {
			state = int(to)
			continue
		}
		state = int(to &^ hitBit)
		for _, w := range m.ending[state] {
			hit(int(w), i+1)
		}
	}
}
