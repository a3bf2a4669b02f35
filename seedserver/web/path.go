package web

import (
	"net/url"
	"strings"
)

// resolve turns the path of a request as it was sent, still percent-encoded,
// into the path of a [Source]. slash reports that it ended with a slash. ok is
// false unless it is in its plain form: nothing is cleaned up here, because
// whoever sends "..", "//" or an encoded slash does not follow our links.
func resolve(escaped string) (path string, slash, ok bool) {
	rest, ok := strings.CutPrefix(escaped, "/")
	if !ok {
		return "", false, false
	}
	if rest == "" {
		return "", true, true
	}
	rest, slash = strings.CutSuffix(rest, "/")
	names := strings.Split(rest, "/")
	for i, name := range names {
		plain, err := url.PathUnescape(name)
		if err != nil || !servable(plain) {
			return "", false, false
		}
		names[i] = plain
	}
	return strings.Join(names, "/"), slash, true
}

// servable reports whether a name can be an element of a path that is served.
func servable(name string) bool {
	return name != "" && name[0] != '.' && !strings.ContainsAny(name, "/\\\x00")
}

// appendEscaped appends name as one element of a URL path. All but the
// unreserved characters of RFC 3986 are percent-encoded, so that the result may
// also stand in a query, in HTML, in a header and in a shell command.
func appendEscaped(dst []byte, name string) []byte {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(name); i++ {
		c := name[i]
		if alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~' {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// escapePath escapes each element of a path of a Source.
func escapePath(path string) string {
	dst := make([]byte, 0, len(path)+16)
	for i, name := range strings.Split(path, "/") {
		if i > 0 {
			dst = append(dst, '/')
		}
		dst = appendEscaped(dst, name)
	}
	return string(dst)
}

// base returns the last element of a path.
func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
