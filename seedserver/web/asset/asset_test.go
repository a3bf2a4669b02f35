package asset

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func files(style string) fstest.MapFS {
	return fstest.MapFS{"static/style.css": {Data: []byte(style)}, "static/script.js": {Data: []byte("1")}, "other.css": {Data: []byte("x")}}
}

func TestServe(t *testing.T) {
	d := New(files("p {}"), "static")
	require.Regexp(t, "^[0-9a-f]{12}$", d.Hash())
	for name, kind := range map[string]string{"style.css": "text/css; charset=utf-8", "script.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"} {
		w := httptest.NewRecorder()
		require.True(t, d.Serve(w, httptest.NewRequest("GET", "/", nil), d.Hash()+"/"+name, "private"))
		require.Equal(t, kind, w.Header().Get("Content-Type"))
		require.Equal(t, "private, max-age=31536000, immutable", w.Header().Get("Cache-Control"))
		require.NotEmpty(t, w.Body.String())
	}
	for _, name := range []string{
		"", "/", "style.css", d.Hash(), d.Hash() + "/", d.Hash() + "/none.css", d.Hash() + "/../other.css", d.Hash() + "//style.css",
		"000000000000/style.css", d.Hash() + "x/style.css", d.Hash() + "/style.css/", d.Hash() + "/static/style.css",
	} {
		w := httptest.NewRecorder()
		require.False(t, d.Serve(w, httptest.NewRequest("GET", "/", nil), name, "public"), name)
		require.Empty(t, w.Header(), "nothing is written")
	}
}

func TestHashTellsFilesApart(t *testing.T) {
	require.Equal(t, New(files("p {}"), "static").Hash(), New(files("p {}"), "static").Hash())
	require.NotEqual(t, New(files("p {}"), "static").Hash(), New(files("b {}"), "static").Hash())
}

func TestFilesOfTheProgramMustBeServable(t *testing.T) {
	require.Panics(t, func() { New(files(""), "none") })
	require.Panics(t, func() { New(fstest.MapFS{"static/page.html": {}}, "static") })
	require.Panics(t, func() { New(fstest.MapFS{"static/dir.css/a.css": {}}, "static") })
}

// TestShared: the pages of all packages look alike.
func TestShared(t *testing.T) {
	d := New(files("p {}"), "static")
	w := httptest.NewRecorder()
	require.True(t, d.Serve(w, httptest.NewRequest("GET", "/", nil), d.Hash()+"/style.css", "public"))
	require.Equal(t, string(base)+"p {}", w.Body.String())
}

func ExampleDir_Serve() {
	static := New(fstest.MapFS{"static/script.js": {Data: []byte("alert('seeded')")}}, "static")
	w := httptest.NewRecorder()
	static.Serve(w, httptest.NewRequest("GET", "/", nil), static.Hash()+"/script.js", "public")
	fmt.Println(w.Header().Get("Content-Type"), w.Body)
	// Output: text/javascript; charset=utf-8 alert('seeded')
}
