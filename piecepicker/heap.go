package piecepicker

// A queue is a heap of peers by key, the smallest first. A peer may be in each of the picker's queues once.
type queue struct {
	slot  int // which of peer.at is its place here
	items []item
}

type item struct {
	key float64
	q   *peer
}

const (
	needQueue     = iota
	strangerQueue // of need, too: who has not passed anything on yet
	assistQueue
	queues
)

func (h *queue) top() *peer {
	if len(h.items) == 0 {
		return nil
	}
	return h.items[0].q
}

func (h *queue) has(q *peer) bool { return q.at[h.slot] != 0 }

// put adds q with the key, or gives it that key. It reports whether q is new.
func (h *queue) put(q *peer, key float64) bool {
	at := int(q.at[h.slot]) - 1
	if at < 0 {
		h.items = append(h.items, item{})
		h.up(len(h.items)-1, item{key, q})
		return true
	}
	switch old := h.items[at].key; {
	case key < old:
		h.up(at, item{key, q})
	case key > old:
		h.down(at, item{key, q})
	}
	return false
}

// remove takes q out; it need not be in.
func (h *queue) remove(q *peer) {
	at := int(q.at[h.slot]) - 1
	if at < 0 {
		return
	}
	q.at[h.slot] = 0
	last := h.items[len(h.items)-1]
	gone := h.items[at]
	h.items[len(h.items)-1] = item{}
	h.items = h.items[:len(h.items)-1]
	switch {
	case at == len(h.items):
	case last.key < gone.key:
		h.up(at, last)
	default:
		h.down(at, last)
	}
}

func (h *queue) set(at int, it item) {
	h.items[at] = it
	it.q.at[h.slot] = int32(at + 1)
}

func (h *queue) up(at int, it item) {
	for at > 0 {
		parent := (at - 1) / 2
		if h.items[parent].key <= it.key {
			break
		}
		h.set(at, h.items[parent])
		at = parent
	}
	h.set(at, it)
}

func (h *queue) down(at int, it item) {
	for {
		child := 2*at + 1
		if child >= len(h.items) {
			break
		}
		if right := child + 1; right < len(h.items) && h.items[right].key < h.items[child].key {
			child = right
		}
		if it.key <= h.items[child].key {
			break
		}
		h.set(at, h.items[child])
		at = child
	}
	h.set(at, it)
}
