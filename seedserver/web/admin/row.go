package admin

import (
	"html"
	"html/template"
	"strconv"
	"strings"
)

// row is one line of a table. Rows are made here and not by a template: hundreds may change in a second, and a template takes ten
// times as long.
type row struct {
	ID     string // "" for none
	Active bool
	Name   string // any text
	Href   string // of unreserved characters, "" for none
	Cells  []cell
}

// cell is one field of a row.
type cell struct {
	Label  string // the title of its column, for a narrow screen
	Value  string
	Note   string
	Number bool
	Meter  int // percent for a bar before the value, -1 for none
}

// dash stands for nothing.
const dash = "–"

func text(label, value string) cell { return cell{Label: label, Value: value, Meter: -1} }
func number(label, value string) cell {
	return cell{Label: label, Value: value, Number: true, Meter: -1}
}

// HTML returns the row as an element.
func (r row) HTML() template.HTML {
	var b strings.Builder
	b.WriteString("<tr")
	attribute(&b, "id", r.ID)
	if r.Active {
		attribute(&b, "class", "active")
	}
	b.WriteString(`><th scope="row" class="name">`)
	if r.Href != "" {
		b.WriteString("<a")
		attribute(&b, "href", r.Href)
		b.WriteString(">")
	}
	b.WriteString("<bdi>" + html.EscapeString(r.Name) + "</bdi>")
	if r.Href != "" {
		b.WriteString("</a>")
	}
	b.WriteString("</th>")
	for i := range r.Cells {
		r.Cells[i].write(&b)
	}
	b.WriteString("</tr>\n")
	return template.HTML(b.String())
}

func (c *cell) write(b *strings.Builder) {
	b.WriteString("<td")
	attribute(b, "class", c.class())
	attribute(b, "data-label", c.Label)
	b.WriteString(">")
	if c.Meter >= 0 {
		b.WriteString(`<progress max="100"`)
		attribute(b, "value", strconv.Itoa(c.Meter))
		attribute(b, "aria-label", c.Label)
		b.WriteString("></progress> ")
	}
	b.WriteString(html.EscapeString(c.Value))
	if c.Note != "" {
		b.WriteString(" <small>" + html.EscapeString(c.Note) + "</small>")
	}
	b.WriteString("</td>")
}

// class is the class of the element.
func (c *cell) class() string {
	var classes []string
	if c.Number {
		classes = append(classes, "num")
	}
	if c.Label == "Rate" {
		classes = append(classes, "rate")
	}
	if c.Value == dash {
		classes = append(classes, "none")
	}
	return strings.Join(classes, " ")
}

// attribute writes an attribute unless it is empty.
func attribute(b *strings.Builder, name, value string) {
	if value != "" {
		b.WriteString(" " + name + `="` + html.EscapeString(value) + `"`)
	}
}
