package tracker

import "strings"

// ScrapeURL returns the URL under which a tracker is scraped whose announce URL
// is given, and false if it has none: "the last slash in the path [...] if the
// text immediately following isn't 'announce' it will be taken as a sign that
// that tracker doesn't support the scrape convention" (BEP 48). Of a UDP tracker
// it is the same URL (BEP 15).
func ScrapeURL(announce string) (string, bool) {
	if strings.HasPrefix(strings.ToLower(announce), "udp:") {
		return announce, true
	}
	slash := strings.LastIndexByte(announce, '/') // a slash in the query counts, as it always has
	rest, ok := strings.CutPrefix(announce[slash+1:], "announce")
	if slash < 0 || !ok {
		return "", false
	}
	return announce[:slash+1] + "scrape" + rest, true
}
