package catalog

import (
	"fmt"
	"path"
	"strings"
)

// pattern is one compiled pattern of [Rules].
type pattern struct {
	elements []string
	anchored bool // else it is one element, for the last one of a path
}

// compilePattern reads the form that Rules documents. A slash in front anchors
// a pattern of one element; one at the end means nothing.
func compilePattern(s string) (pattern, error) {
	body := strings.TrimSuffix(strings.TrimPrefix(s, "/"), "/")
	p := pattern{elements: strings.Split(body, "/"), anchored: strings.HasPrefix(s, "/") || strings.Contains(body, "/")}
	for _, e := range p.elements {
		if e == "" {
			return pattern{}, fmt.Errorf("pattern %q has an empty element", s)
		}
		if _, err := path.Match(e, ""); err != nil {
			return pattern{}, fmt.Errorf("pattern %q is malformed", s)
		}
	}
	return p, nil
}

func compilePatterns(list []string) ([]pattern, error) {
	patterns := make([]pattern, 0, len(list))
	for _, s := range list {
		p, err := compilePattern(s)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}

// match reports whether p matches rel, a path below the directory of the rules.
func (p pattern) match(rel string) bool {
	if !p.anchored {
		return matchElement(p.elements[0], path.Base(rel))
	}
	names := strings.Split(rel, "/")
	// Each "**" takes as few names as it can; on a mismatch the last one takes
	// one more. Earlier ones never need to, since the last can take the same.
	e, n := 0, 0
	retryElement, retryName := -1, 0
	for n < len(names) {
		switch {
		case e < len(p.elements) && p.elements[e] == "**":
			retryElement, retryName = e, n
			e++
		case e < len(p.elements) && matchElement(p.elements[e], names[n]):
			e++
			n++
		case retryElement >= 0:
			retryName++
			e, n = retryElement+1, retryName
		default:
			return false
		}
	}
	for e < len(p.elements) && p.elements[e] == "**" {
		e++
	}
	return e == len(p.elements)
}

func matchElement(element, name string) bool {
	if element == "**" {
		return true
	}
	ok, err := path.Match(element, name)
	return ok && err == nil
}

func matchAny(patterns []pattern, rel string) bool {
	for _, p := range patterns {
		if p.match(rel) {
			return true
		}
	}
	return false
}
