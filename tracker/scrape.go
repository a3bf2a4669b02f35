package tracker

import "fmt"

// ScrapePolicy says what a tracker lets be asked without an announce (BEP 48).
type ScrapePolicy uint8

const (
	ScrapeSpecific ScrapePolicy = iota // torrents whose infohash the client names
	ScrapeFull                         // all torrents at once, too
	ScrapeNone                         // nothing
)

var scrapePolicies = [...]string{"specific", "full", "none"}

// ParseScrapePolicy reads "specific", "full" or "none".
func ParseScrapePolicy(s string) (ScrapePolicy, error) {
	for i, name := range scrapePolicies {
		if s == name {
			return ScrapePolicy(i), nil
		}
	}
	return 0, fmt.Errorf("scrape %q: one of full, specific, none", s)
}

// String returns what ParseScrapePolicy reads.
func (p ScrapePolicy) String() string {
	if int(p) >= len(scrapePolicies) {
		return "unknown"
	}
	return scrapePolicies[p]
}
