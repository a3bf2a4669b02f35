package admin

import "html/template"

// A section is what the template of a part is given.
type section struct {
	id   string // of the part, and the template's name
	data any
}

// render makes parts.
func render(sections ...section) ([]part, error) {
	parts := make([]part, len(sections))
	for i, s := range sections {
		html, err := execute(s.id, s.data)
		if err != nil {
			return nil, err
		}
		parts[i] = part{s.id, html}
	}
	return parts, nil
}

// differing returns those of after that look otherwise in before, which has the same parts.
func differing(before, after []part) []part {
	var parts []part
	for i, p := range after {
		if p != before[i] {
			parts = append(parts, p)
		}
	}
	return parts
}

// htmlOf returns how the part with an id looks.
func htmlOf(parts []part, id string) template.HTML {
	for _, p := range parts {
		if p.id == id {
			return p.html
		}
	}
	return ""
}
