package web

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPager(t *testing.T) {
	for _, tt := range []struct {
		rows  int
		asked string
		want  string
	}{
		{0, "", "0-0"},
		{1, "7", "0-1"},
		{1000, "", "0-1000"},
		{1001, "", "0-1000: [1] 2"},
		{1001, "2", "1000-1001: 1 [2]"},
		{1001, "99", "1000-1001: 1 [2]"},
		{1001, "0", "0-1000: [1] 2"},
		{1001, "-1", "0-1000: [1] 2"},
		{1001, "x", "0-1000: [1] 2"},
		{10_000, "1", "0-1000: [1] 2 3 … 10"},
		{10_000, "5", "4000-5000: 1 … 3 4 [5] 6 7 … 10"},
		{10_000, "10", "9000-10000: 1 … 8 9 [10]"},
		{999_999_999, "500000", "499999000-500000000: 1 … 499998 499999 [500000] 500001 500002 … 1000000"},
	} {
		p := newPager(tt.rows, url.Values{"p": {tt.asked}})
		got := strconv.Itoa(p.From) + "-" + strconv.Itoa(p.To)
		var labels []string
		for _, l := range p.links("?sort=name") {
			switch {
			case l.Here:
				l.Label = "[" + l.Label + "]"
			case l.Href != "":
				require.Equal(t, "?sort=name&p="+l.Label, l.Href)
			}
			labels = append(labels, l.Label)
		}
		if labels != nil {
			got += ": " + strings.Join(labels, " ")
		}
		require.Equal(t, tt.want, got, "%d rows, page %q", tt.rows, tt.asked)
	}
}
