package web

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

func TestRenderMarkdown(t *testing.T) {
	for _, tt := range []struct{ name, source, want string }{
		{"headings go below ours", "# A\n\n###### F", "<h2>A</h2>\n<h6>F</h6>"},
		{"words", "*a* **b** ~~c~~ `d<e`", "<p><em>a</em> <strong>b</strong> <del>c</del> <code>d&lt;e</code></p>"},
		{"lists", "* a\n* b\n\n3. c", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<ol start=\"3\">\n<li>c</li>\n</ol>"},
		{"a table", "|a|b|\n|-|-:|\n|1|2|", "<table>\n<thead>\n<tr>\n<th>a</th>\n<th align=\"right\">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n<td align=\"right\">2</td>\n</tr>\n</tbody>\n</table>"},
		{"code", "```sh\nls <x>\n```", "<pre><code>ls &lt;x&gt;\n</code></pre>"},
		{"a link to a neighbour", "[iso](big%20file.iso \"t\")", `<p><a href="big%20file.iso">iso</a></p>`},
		{"a link elsewhere", "<https://a.example/?b=c&d>", `<p><a href="https://a.example/?b=c&amp;d" rel="nofollow noreferrer">https://a.example/?b=c&amp;d</a></p>`},
		{"a bare link", "see https://a.example.", `<p>see <a href="https://a.example" rel="nofollow noreferrer">https://a.example</a>.</p>`},
		{"a magnet link", "[m](magnet:?xt=urn:btih:00)", `<p><a href="magnet:?xt=urn:btih:00">m</a></p>`},
		{"a picture beside it", "![shot](./img/a%20b.PNG)", `<p><img src="./img/a%20b.PNG" alt="shot"></p>`},
		{"a picture elsewhere is a link", "![shot *1*](https://a.example/x.png)", `<p><a href="https://a.example/x.png" rel="nofollow noreferrer">shot <em>1</em></a></p>`},
		{"a picture without words", "![](//a.example/x.png)", `<p><a href="//a.example/x.png" rel="nofollow noreferrer">picture</a></p>`},
		{"a badge", "[![build](https://a.example/x.svg)](https://b.example)", `<p><a href="https://b.example" rel="nofollow noreferrer">build</a></p>`},
		{"a picture in a picture", "![a ![b](http://x/b.png)](http://x/a.png)", `<p><a href="http://x/a.png" rel="nofollow noreferrer">a b</a></p>`},
		{"HTML is left out", "a <b onclick=x>b</b> <script>alert(1)</script>\n\n<div>c</div>\n\n</article></main>", "<p>a b alert(1)</p>"},
		{"a script as a link", "[x](javascript:alert(1)) [y](data:text/html,x) [z](JAVAscript:x) [v](vbscript:x)", "<p>x y z v</p>"},
		{"HTML in a link", `[x]("onmouseover="alert)`, `<p><a href="%22onmouseover=%22alert">x</a></p>`},
		{"nothing", "", ""},
		{"not UTF-8", "\xff", "<p>\ufffd</p>"},
		{"what cannot be seen", "a\x00\u202eb\tc  \r\nd", "<p>a\u2400\ufffdb\tc<br>\nd</p>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := renderMarkdown([]byte(tt.source))
			require.NoError(t, err)
			require.Equal(t, tt.want, strings.TrimSpace(string(got)))
		})
	}
}

func TestBesideReadme(t *testing.T) {
	for link, want := range map[string]bool{
		"a.png": true, "./a.png": true, "d/a.svg": true, "a%20b.JPEG": true, "ü.webp": true,
		"": false, "a.iso": false, "a.png?torrent": false, "a.png#x": false, "/a.png": false, "//h/a.png": false, "../a.png": false,
		"d/../a.png": false, "%2e%2e/a.png": false, "%2E./a.png": false, ".hidden.png": false, "d/.h/a.png": false, "a%2fb.png": false,
		"http://h/a.png": false, "x:a.png": false, `\\h\a.png`: false, "a%00.png": false, "%zz.png": false, "././a.png": false,
	} {
		require.Equal(t, want, besideReadme(link), link)
	}
}

// Who may write a README may not stop the server with it.
func TestMarkdownIsNotSlow(t *testing.T) {
	for _, part := range []string{
		">", "[", "[a](", "[a](<b", "[a](b \"", "a**b_c", "<a b='", "|a|b\n|-|-\n", "[a]", "[a]: <", "www.", "`` ` ",
	} {
		for _, line := range []int{maxLine - 1, 4} {
			row := strings.Repeat(part, max(1, line/len(part))) + "\n"
			source := []byte(strings.Repeat(row, maxReadme/4/len(row)))
			start := time.Now()
			_, _ = renderMarkdown(source)
			require.Less(t, time.Since(start), 10*time.Second, "%q in lines of %d bytes", part, line)
		}
	}
	for _, source := range []string{
		strings.Repeat(">", maxReadme), strings.Repeat("1. ", 99) + "a", strings.Repeat("a", maxLine+1), "a\n" + strings.Repeat("- ", 33), strings.Repeat("*a*", maxReadme/3),
	} {
		_, err := renderMarkdown([]byte(source))
		require.Error(t, err)
	}
	for _, source := range []string{strings.Repeat("-", 100), strings.Repeat("> ", 20) + "a", strings.Repeat("*", 80), "1.2.3.4.5. - a", "|" + strings.Repeat("---|", 60)} {
		_, err := renderMarkdown([]byte(source))
		require.NoError(t, err)
	}
}

// requireTame checks that a fragment of HTML has only what a page of ours may
// load and run: nothing.
func requireTame(t *testing.T, fragment string) {
	t.Helper()
	tokens := html.NewTokenizer(strings.NewReader(fragment))
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			require.ErrorIs(t, tokens.Err(), io.EOF)
			return
		}
		token := tokens.Token()
		if kind == html.CommentToken || kind == html.DoctypeToken {
			t.Fatalf("%v", token)
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		for _, a := range token.Attr {
			switch token.Data + " " + a.Key {
			case "a href":
				scheme, _, found := strings.Cut(strings.ToLower(a.Val), ":")
				if found && !strings.ContainsAny(scheme, "/?#%") {
					require.Contains(t, []string{"http", "https", "mailto", "magnet"}, scheme)
				}
			case "img src":
				require.True(t, besideReadme(a.Val), a.Val)
			case "a rel", "img alt", "ol start", "th align", "td align":
			default:
				t.Fatalf("<%s %s=%q>", token.Data, a.Key, a.Val)
			}
		}
		require.NotContains(t, []string{"script", "style", "iframe", "object", "embed", "form", "input", "link", "meta", "base", "svg", "math", "template"}, token.Data)
	}
}

func FuzzRenderMarkdown(f *testing.F) {
	for _, s := range []string{
		"# a\n\n* b\n", "![a](b.png)", "[a](javascript:b)", "<script>", "|a|\n|-|\n|b|", "[![a](http://b)](c)", "![![a](b)](c)", "http://a.b",
		"[a]: <b> 'c'\n\n[a]", "```\n<", "&#106;avascript:", "![a](&#46;&#46;/b.png)", "[x](\tjava\nscript:y)",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		in := bytes.Clone(source)
		rendered, err := renderMarkdown(source)
		require.Equal(t, in, source, "the input was changed")
		if err != nil {
			require.NotContains(t, err.Error(), "runtime error", "it panics")
			return
		}
		requireTame(t, string(rendered))
	})
}
