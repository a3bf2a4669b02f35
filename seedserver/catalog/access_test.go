package catalog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// testAccess is a Config.Access: the rule is the value, and all but "open" is private.
func testAccess(_ string, value any) (any, bool) { return value, value != "open" }

func (w *world) private(path string) bool {
	e := w.entry(path)
	require.Equal(w.t, Published, e.State, path)
	require.Equal(w.t, e.Private, w.published[e.InfoHash].Private)
	return e.Private
}

func TestAccessOfADirectory(t *testing.T) {
	w := newWorld(t, Config{Access: testAccess})
	w.write("club/"+rulesName, `access = "members"`)
	w.write("club/deep/"+rulesName, `access = "board"`)
	w.write("club/deep/f", "f")
	w.write("club/g", "g")
	w.write("open/"+rulesName, `access = "open"`)
	w.write("open/h", "h")
	w.start()
	w.pass(11 * second)
	require.True(t, w.private("club/deep/f"))
	require.True(t, w.private("club/g"))
	require.False(t, w.private("open/h"))
	require.ElementsMatch(t, []any{"members", "board"}, w.view.accessTo("club/deep/f"))
	require.ElementsMatch(t, []any{"members"}, w.view.accessTo("club/nothing"))
	require.Empty(t, w.view.accessTo("clubhouse"))
	require.Equal(t, []string{"club/g"}, w.view.holding(w.entry("club/g").InfoHash))
	require.Empty(t, w.view.holding(w.entry("open/h").InfoHash))
}

// TestAccessChanges: what is published is retired and made anew with the other flag; the rule holds at once.
func TestAccessChanges(t *testing.T) {
	w := newWorld(t, Config{Access: testAccess}).start()
	w.write("d/f", "f")
	w.write("d/u/"+rulesName, "unit = true")
	w.write("d/u/in/g", "g")
	w.pass(11 * second)
	public := w.entry("d/f").InfoHash
	require.False(t, w.private("d/f"))
	require.False(t, w.private("d/u"))

	w.write("d/"+rulesName, `access = "members"`)
	w.pass(3 * second)
	require.Equal(t, []any{"members"}, w.view.accessTo("d/f"))
	require.NotContains(t, w.published, public)
	w.pass(11 * second)
	require.True(t, w.private("d/f"))
	require.True(t, w.private("d/u"))

	w.remove("d/" + rulesName)
	w.pass(15 * second)
	require.False(t, w.private("d/f"))
	require.Equal(t, public, w.entry("d/f").InfoHash)
	require.Empty(t, w.view.holding(public))

	// Inside of a unit, for all of it.
	w.write("d/u/in/"+rulesName, `access = "board"`)
	w.pass(15 * second)
	require.True(t, w.private("d/u"))
	require.Equal(t, []any{"board"}, w.view.accessTo("d/u"))
	require.Empty(t, w.view.accessTo("d/f"))
	w.settledLike(t)
}

// TestAccessAcrossPlaces: a rename between a private and a public directory makes another torrent; the same private content at two
// places is one torrent, of which both are known.
func TestAccessAcrossPlaces(t *testing.T) {
	w := newWorld(t, Config{Access: testAccess})
	w.write("a/"+rulesName, `access = "a"`)
	w.write("b/"+rulesName, `access = "b"`)
	w.write("a/f", "same")
	w.write("b/f", "same")
	w.mkdir("free")
	w.start()
	w.pass(11 * second)
	private := w.entry("a/f").InfoHash
	require.ElementsMatch(t, []string{"a/f", "b/f"}, w.view.holding(private))

	w.rename("a/f", "free/f")
	w.pass(15 * second)
	require.False(t, w.private("free/f"))
	require.Equal(t, []string{"b/f"}, w.view.holding(private))

	w.rename("free/f", "a/f")
	w.event("a/f", renamed)
	w.pass(15 * second)
	require.True(t, w.private("a/f"))
}

// TestAccessOfWhatIsNotKnown: nobody sees into a directory whose rules are not known.
func TestAccessOfWhatIsNotKnown(t *testing.T) {
	w := newWorld(t, Config{Access: testAccess})
	w.write("bad/"+rulesName, "access = [")
	w.write("bad/f", "f")
	w.start()
	w.pass(11 * second)
	require.Equal(t, []any{false}, w.view.accessTo("bad/f"))

	// Before its first scan, as the listing of the directory around it shows it.
	n := w.core.find("bad")
	n.scanned, n.rules = false, rulesState{}
	require.Equal(t, false, w.core.accessOf(n))
}

// TestAccessIsRemembered: a torrent of an earlier run is taken over only with the flag that it has to have.
func TestAccessIsRemembered(t *testing.T) {
	w := newWorld(t, Config{Access: testAccess}).start()
	w.write("d/f", "f")
	w.pass(11 * second)
	require.False(t, w.private("d/f"))
	w.write("d/"+rulesName, `access = "members"`)
	w.start()
	w.pass(11 * second)
	require.True(t, w.private("d/f"))
	w.hashed = nil
	w.start()
	w.pass(11 * second)
	require.Empty(t, w.hashed)
	require.True(t, w.private("d/f"))
}
