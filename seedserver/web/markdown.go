package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Bounds of what is rendered. The parser takes time by the square of the length
// of a line, and of how deep quotations and lists are inside of each other.
const (
	maxRendered    = 512 << 10 // bytes of HTML
	maxLine        = 8 << 10   // bytes
	maxLineMarkers = 32        // quotations and list items that start in one line
)

// markdown renders CommonMark with tables, strike-through and bare links. HTML
// in the source is left out.
var markdown = goldmark.New(
	goldmark.WithExtensions(
		extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
		extension.Strikethrough, extension.Linkify),
	goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(fitter{}, 1000))),
)

// sanitizer lets through what markdown makes and nothing that it should not:
// the second wall.
var sanitizer = newSanitizer()

func newSanitizer() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "em", "strong", "del",
		"ul", "li", "table", "thead", "tbody", "tr")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowNoAttrs().OnElements("ol", "th", "td")
	p.AllowAttrs("align").Matching(bluemonday.CellAlign).OnElements("th", "td")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("src").Matching(regexp.MustCompile(`^[^/\\:?#][^\\:?#]*$`)).OnElements("img")
	p.AllowAttrs("alt").OnElements("img")
	p.AllowURLSchemes("http", "https", "mailto", "magnet")
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	p.RequireNoFollowOnFullyQualifiedLinks(true)
	p.RequireNoReferrerOnFullyQualifiedLinks(true)
	return p
}

// renderMarkdown returns source as HTML that is safe in a page of ours. An error
// says that it cannot be shown.
func renderMarkdown(source []byte) (rendered template.HTML, err error) {
	defer func() { // a stranger's text in a parser that is not ours
		if p := recover(); p != nil {
			rendered, err = "", fmt.Errorf("rendering markdown: %v", p)
		}
	}()
	if err := checkLines(source); err != nil {
		return "", err
	}
	var b limitedBuffer
	if err := markdown.Convert([]byte(visibleText(string(source))), &b); err != nil {
		return "", fmt.Errorf("rendering markdown: %w", err)
	}
	return template.HTML(sanitizer.SanitizeBytes(b.Bytes())), nil
}

// checkLines refuses what the parser would be slow on.
func checkLines(source []byte) error {
	for line := range bytes.Lines(source) {
		if len(line) > maxLine {
			return fmt.Errorf("rendering markdown: a line of more than %d bytes", maxLine)
		}
		if markers(line) > maxLineMarkers {
			return fmt.Errorf("rendering markdown: more than %d markers in a line", maxLineMarkers)
		}
	}
	return nil
}

// markers counts the quotations and list items that start in line.
func markers(line []byte) (n int) {
	for i, c := range line {
		switch {
		case c == '>':
			n++
		case strings.IndexByte("-*+.)", c) >= 0:
			if i+1 < len(line) && (line[i+1] == ' ' || line[i+1] == '\t') {
				n++
			}
		case c != ' ' && c != '\t' && !digit(c):
			return n
		}
	}
	return n
}

// limitedBuffer refuses to grow beyond maxRendered.
type limitedBuffer struct{ bytes.Buffer }

// Write is part of io.Writer.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxRendered {
		return 0, fmt.Errorf("more than %d bytes of HTML", maxRendered)
	}
	return b.Buffer.Write(p)
}

// fitter makes a document fit into our pages: its headings go below ours, and
// pictures that are not beside it become links, since a page loads nothing from
// elsewhere.
type fitter struct{}

// Transform is part of parser.ASTTransformer.
func (fitter) Transform(doc *ast.Document, source text.Reader, _ parser.Context) {
	var images []*ast.Image
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Heading:
			if entering {
				n.Level = min(n.Level+1, 6)
			}
		case *ast.Image:
			if entering && !besideReadme(string(n.Destination)) {
				images = append(images, n)
			}
		}
		return ast.WalkContinue, nil
	})
	for _, image := range images {
		unpicture(image)
	}
}

// unpicture puts the text of an image in its place: as a link to it, or bare
// where it is in a link already.
func unpicture(image *ast.Image) {
	parent := image.Parent()
	if image.FirstChild() == nil {
		image.AppendChild(image, ast.NewString([]byte("picture")))
	}
	for above := parent; above != nil; above = above.Parent() {
		if above.Kind() == ast.KindLink {
			for child := image.FirstChild(); child != nil; child = image.FirstChild() {
				parent.InsertBefore(parent, image, child)
			}
			parent.RemoveChild(parent, image)
			return
		}
	}
	link := ast.NewLink()
	link.Destination, link.Title = image.Destination, image.Title
	for child := image.FirstChild(); child != nil; child = image.FirstChild() {
		link.AppendChild(link, child)
	}
	parent.ReplaceChild(parent, image, link)
}

var pictureTypes = []string{".avif", ".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp"}

// besideReadme reports whether a link leads to a picture in or below the
// directory of the page, and to nothing else that we or the site around us
// would do something for.
func besideReadme(link string) bool {
	for name := range strings.SplitSeq(strings.TrimPrefix(link, "./"), "/") {
		plain, err := url.PathUnescape(name)
		if err != nil || !servable(plain) || strings.ContainsAny(name, ":?#") {
			return false
		}
	}
	return slices.Contains(pictureTypes, strings.ToLower(path.Ext(link)))
}
