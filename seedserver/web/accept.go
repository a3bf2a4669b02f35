package web

import (
	"iter"
	"net/http"
	"strings"
)

const (
	typeHTML    = "text/html"
	typeText    = "text/plain"
	typeJSON    = "application/json"
	typeTorrent = "application/x-bittorrent"
)

// accept is what a request accepts: the lines of an Accept header, with all
// parameters but q left out of account (RFC 9110, section 12.5.1). None means
// that anything will do, and so does a header without one valid element.
type accept []preference

// preference is one element of an Accept or Accept-Encoding header.
type preference struct {
	value string // in lower case
	q     int    // 0 to 1000
}

func parseAccept(lines []string) accept {
	var a accept
	for _, line := range lines {
		for element := range unquoted(line, ',') {
			if p, ok := parsePreference(element); ok {
				a = append(a, p)
			}
		}
	}
	return a
}

// unquoted splits s at each separator that is in no quoted string.
func unquoted(s string, separator byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := 0; i < len(s); i++ {
			switch {
			case quoted && s[i] == '\\':
				i++
			case s[i] == '"':
				quoted = !quoted
			case s[i] == separator && !quoted:
				if !yield(s[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(s[start:])
	}
}

// parsePreference reads "value;parameters;q=0.5". An element with a weight that
// is none is not believed at all.
func parsePreference(element string) (p preference, ok bool) {
	p.q = 1000
	first := true
	for part := range unquoted(element, ';') {
		part = strings.TrimSpace(part)
		if first {
			p.value, first = strings.ToLower(part), false
			continue
		}
		if name, weight, _ := strings.Cut(part, "="); strings.EqualFold(name, "q") {
			if p.q, ok = parseWeight(weight); !ok {
				return preference{}, false
			}
		}
	}
	return p, p.value != ""
}

// parseWeight reads a weight from 0 to 1 in thousandths. Digits after the third
// are skipped: the grammar has none, but some clients send them.
func parseWeight(s string) (q int, ok bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	if whole != "0" && whole != "1" {
		return 0, false
	}
	q = int(whole[0]-'0') * 1000
	for i, unit := 0, 100; i < len(fraction); i, unit = i+1, unit/10 {
		if fraction[i] < '0' || fraction[i] > '9' {
			return 0, false
		}
		q += int(fraction[i]-'0') * unit
	}
	return q, q <= 1000
}

// quality returns the weight that a gives to a media type: that of the most
// specific range that matches. named reports that this range is the type
// itself and no wildcard.
func (a accept) quality(mediaType string) (q int, named bool) {
	if len(a) == 0 {
		return 1000, false
	}
	family, _, _ := strings.Cut(mediaType, "/")
	best := 0
	for _, p := range a {
		rank := 0
		switch {
		case p.value == mediaType:
			rank = 3
		case strings.TrimSuffix(p.value, "/*") == family && p.value != family:
			rank = 2
		case p.value == "*/*":
			rank = 1
		}
		if rank > best || rank > 0 && rank == best && p.q > q {
			best, q = rank, p.q
		}
	}
	return q, best == 3
}

// choose returns the offer of the highest quality, the first among equals, or
// "" if none is acceptable.
func (a accept) choose(offers ...string) string {
	best, highest := "", 0
	for _, offer := range offers {
		if q, _ := a.quality(offer); q > highest {
			best, highest = offer, q
		}
	}
	return best
}

// acceptsGzip reports whether an answer may be compressed.
func acceptsGzip(r *http.Request) bool {
	wildcard := false
	for _, p := range parseAccept(r.Header.Values("Accept-Encoding")) {
		switch p.value {
		case "gzip":
			return p.q > 0
		case "*":
			wildcard = p.q > 0
		}
	}
	return wildcard
}
