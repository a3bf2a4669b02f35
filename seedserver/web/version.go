package web

import (
	"hash/maphash"
	"net/textproto"
	"strconv"
	"strings"
)

// versionSeed makes the versions of one run different from those of another.
var versionSeed = maphash.MakeSeed()

// version returns a weak validator (RFC 9110, section 8.8.3) of one form of the
// listing: it stays the same as long as nothing changes that the form shows.
func (l *listing) version(form string) string {
	var h maphash.Hash
	h.SetSeed(versionSeed)
	x := l.x
	for _, s := range []string{form, x.via.URL, x.root, x.viewer, x.r.URL.RawQuery, x.source.Magnet(Entry{}, x.via).String(), x.notice()} {
		maphash.WriteComparable(&h, s)
	}
	maphash.WriteComparable(&h, l.readme != "") // its words are those of an entry
	maphash.WriteComparable(&h, shown(&l.dir))
	if l.found != nil {
		maphash.WriteComparable(&h, *l.found)
	}
	for _, e := range l.entries {
		maphash.WriteComparable(&h, shown(e))
	}
	return `W/"` + strconv.FormatUint(h.Sum64(), 36) + `"`
}

// shown returns e without what an index does not show.
func shown(e *Entry) Entry {
	c := *e
	c.Wait = 0
	return c
}

// noneMatch reports whether an If-None-Match header names tag, by the weak
// comparison (RFC 9110, section 13.1.2): then there is nothing new to send.
func noneMatch(header []string, tag string) bool {
	tag = strings.TrimPrefix(tag, "W/")
	for _, line := range header {
		for known := range strings.SplitSeq(line, ",") {
			known = textproto.TrimString(known)
			if known == "*" || strings.TrimPrefix(known, "W/") == tag {
				return true
			}
		}
	}
	return false
}
