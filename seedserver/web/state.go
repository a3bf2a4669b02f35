package web

import "strconv"

// appendState appends as HTML how far e is.
func appendState(dst []byte, e *Entry) []byte {
	reason := e.Reason
	switch e.State {
	case Settling:
		dst = append(dst, `<span class="wait">settling</span>`...)
		if reason == "" {
			reason = "still being written"
		}
	case Hashing:
		dst = append(dst, `<progress max="100" value="`...)
		dst = strconv.AppendInt(dst, int64(percent(e.Progress)), 10)
		dst = append(dst, `" aria-label="hashed"></progress> <span class="wait">hashing `...)
		dst = strconv.AppendInt(dst, int64(percent(e.Progress)), 10)
		dst = append(dst, ` %</span>`...)
	case Published:
		dst = append(dst, `<span class="on">seeding</span>`...)
	case Empty:
		dst = append(dst, `empty`...)
		if reason == "" {
			reason = "no torrent"
		}
	default:
		dst = append(dst, `left out`...)
	}
	if reason != "" {
		dst = append(dst, ` <small>`...)
		dst = append(appendHTML(dst, visible(reason)), `</small>`...)
	}
	return dst
}

// peersText says in words what is known of a swarm.
func peersText(p Peers) string {
	if !p.Known {
		return ""
	}
	dst := append(appendCount(nil, p.Seeds, "seed"), ", "...)
	dst = append(appendCount(dst, p.Leechers, "leecher"), ", "...)
	dst = append(strconv.AppendInt(dst, int64(p.Completed), 10), " completed"...)
	if p.Copies > 0 {
		dst = strconv.AppendFloat(append(dst, ", "...), p.Copies, 'f', 1, 64)
		dst = append(dst, " copies elsewhere"...)
	}
	return string(dst)
}
