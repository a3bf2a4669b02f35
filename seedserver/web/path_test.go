package web

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestResolve(t *testing.T) {
	for _, tt := range []struct {
		sent  string
		path  string
		slash bool
	}{
		{"/", "", true},
		{"/a", "a", false},
		{"/a/", "a", true},
		{"/a/b.iso", "a/b.iso", false},
		{"/a%20b/%C3%BC", "a b/ü", false},
		{"/a%0Ab", "a\nb", false},
		{"/%22%3Cb%3E", `"<b>`, false},
		{"/100%25", "100%", false},
		{"/%FF", "\xff", false},
		{"/a..b/c.", "a..b/c.", false},
		{"/a;b=c/d+e", "a;b=c/d+e", false},
		{"/" + strings.Repeat("x", 255), strings.Repeat("x", 255), false},
	} {
		path, slash, ok := resolve(tt.sent)
		require.True(t, ok, tt.sent)
		require.Equal(t, tt.path, path)
		require.Equal(t, tt.slash, slash)
	}
}

func TestResolveRefuses(t *testing.T) {
	for _, sent := range []string{
		"", "*", "a", "//", "///", "//a", "/a//", "/a//b", "/.", "/..", "/../a", "/a/..", "/a/../b", "/a/./b", "/./a", "/...",
		"/%2e%2e/a", "/.%2E/a", "/a/%2e", "/a%2fb", "/a%2Fb", "/%2f", "/%2fetc%2fpasswd", "/a%00", "/%00", "/a%5cb", "/a\\b",
		"/%5c..%5ca", "/.git/config", "/.htpasswd", "/a/.seedserver.toml", "/%2ehidden", "/a%", "/a%zz", "/a%2",
	} {
		_, _, ok := resolve(sent)
		require.False(t, ok, sent)
	}
}

func FuzzResolve(f *testing.F) {
	for _, s := range []string{"/", "/a/b/", "/a%2fb", "/..%00", "/%2e%2e/", "/ü%20"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		path, slash, ok := resolve(sent)
		if !ok {
			require.Empty(t, path)
			return
		}
		require.NotContains(t, path, "\x00")
		require.NotContains(t, path, `\`)
		if path != "" {
			for name := range strings.SplitSeq(path, "/") {
				require.NotEmpty(t, name)
				require.NotEqual(t, byte('.'), name[0])
			}
		}
		again := "/" + escapePath(path)
		if slash && path != "" {
			again += "/"
		}
		round, slashAgain, ok := resolve(again)
		require.True(t, ok)
		require.Equal(t, path, round)
		require.Equal(t, slash, slashAgain)
		_, err := url.Parse(again)
		require.NoError(t, err)
	})
}
