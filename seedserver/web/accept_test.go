package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChoose(t *testing.T) {
	const firefox = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, tt := range []struct {
		name   string
		lines  []string
		offers []string
		want   string
	}{
		{"no header accepts all", nil, []string{typeHTML, typeJSON}, typeHTML},
		{"wildcard takes the first", []string{"*/*"}, []string{typeText, typeHTML}, typeText},
		{"browser", []string{firefox}, []string{typeText, typeHTML, typeJSON}, typeHTML},
		{"by name", []string{"application/json"}, []string{typeHTML, typeJSON}, typeJSON},
		{"case does not matter", []string{"Application/JSON; Q=0.3"}, []string{typeHTML, typeJSON}, typeJSON},
		{"quality decides", []string{"text/html;q=0.4, text/plain;q=0.5"}, []string{typeHTML, typeText}, typeText},
		{"specific before wildcard", []string{"text/*;q=0.9, text/html;q=0.1, */*;q=0.5"}, []string{typeHTML, typeText, typeJSON}, typeText},
		{"zero refuses", []string{"text/html;q=0, */*;q=0.1"}, []string{typeHTML, typeText}, typeText},
		{"zero of all refuses", []string{"*/*;q=0"}, []string{typeHTML}, ""},
		{"nothing fits", []string{"image/png"}, []string{typeHTML}, ""},
		{"several lines", []string{"text/html;q=0.1", "text/plain"}, []string{typeHTML, typeText}, typeText},
		{"parameters are left out of account", []string{`text/plain;charset="a,b;q=0";q=0.9, text/html;q=0.8`}, []string{typeHTML, typeText}, typeText},
		{"bad weights are not believed", []string{"text/html;q=2, text/plain;q=x, application/json;q=0.01"}, []string{typeHTML, typeText, typeJSON}, typeJSON},
		{"nothing valid is no header", []string{";;, ,text/html;q=1.5"}, []string{typeJSON}, typeJSON},
		{"type alone is no wildcard", []string{"text"}, []string{typeHTML}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, parseAccept(tt.lines).choose(tt.offers...))
		})
	}
}

// RFC 9110, section 12.4.2: "qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )".
func TestParseWeight(t *testing.T) {
	for s, want := range map[string]int{
		"0": 0, "1": 1000, "0.": 0, "0.5": 500, "0.25": 250, "0.001": 1, "1.000": 1000, "0.3333333": 333,
		"": -1, ".5": -1, "1.1": -1, "2": -1, "-1": -1, "0.x": -1, "1e0": -1, "NaN": -1, "00.5": -1, "0,5": -1,
	} {
		q, ok := parseWeight(s)
		if !ok {
			q = -1
		}
		require.Equal(t, want, q, "weight %q", s)
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "br, GZIP;q=0.5": true, "gzip;q=0, *": false, "*": true, "*;q=0": false, "identity": false,
	} {
		r := &http.Request{Header: http.Header{}}
		if header != "" {
			r.Header.Set("Accept-Encoding", header)
		}
		require.Equal(t, want, acceptsGzip(r), "Accept-Encoding: %s", header)
	}
}

func FuzzAccept(f *testing.F) {
	for _, s := range []string{"", "*/*", "text/html;q=0.5,*/*", `a/b;x="\",";q=1`, ",;=", "text/*;q=0"} {
		f.Add(s)
	}
	offers := []string{typeHTML, typeText, typeJSON, typeTorrent}
	f.Fuzz(func(t *testing.T, line string) {
		a := parseAccept([]string{line})
		require.LessOrEqual(t, len(a), 1+strings.Count(line, ","))
		for _, p := range a {
			require.GreaterOrEqual(t, p.q, 0)
			require.LessOrEqual(t, p.q, 1000)
			require.NotEmpty(t, p.value)
		}
		best := a.choose(offers...)
		for _, offer := range offers {
			q, named := a.quality(offer)
			if best == "" {
				require.Zero(t, q, "nothing was chosen, yet %s is acceptable", offer)
			} else if top, _ := a.quality(best); true {
				require.LessOrEqual(t, q, top)
			}
			if named {
				require.Contains(t, strings.ToLower(line), offer)
			}
		}
	})
}
