package tracker

import "strings"

// Paths of a tracker's URL.
const (
	AnnouncePath = "/announce"
	ScrapePath   = "/scrape"
)

// CutPath splits the path of a tracker's URL, decoded and without its query,
// into [AnnouncePath] or [ScrapePath] and the announce key behind it: "" in
// /announce, "k" in /announce/k. It reports whether path has this form.
func CutPath(path string) (name, key string, ok bool) {
	for _, name := range [...]string{AnnouncePath, ScrapePath} {
		rest, ok := strings.CutPrefix(path, name)
		if !ok {
			continue
		}
		key, found := strings.CutPrefix(rest, "/")
		if (found || rest == "") && !strings.Contains(key, "/") {
			return name, key, true
		}
		return "", "", false
	}
	return "", "", false
}
