package access

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestReloadWhileTheFileIsLookedAt: whoever asks while the users are read does not read them, too: what was read first could replace what
// was read last, and a user that was taken out would stay.
func TestReloadWhileTheFileIsLookedAt(t *testing.T) {
	g := newGuard(t, "alice:wonder", "bob:builder")
	now := start
	asked := func(path string) (*users, os.FileInfo, error) { // somebody asks when the file is read, after it changed
		us, info, err := openUsers(path)
		g.open = openUsers
		writePasswords(t, path, "bob:builder")
		now = now.Add(time.Minute)
		require.Same(t, g.users.Load(), g.current(now), "the file is read by two at once")
		return us, info, err
	}
	for _, read := range []func(){func() { require.NoError(t, g.Reload()) }, func() { g.current(now) }} {
		writePasswords(t, g.cfg.UsersFile, "alice:wonder", "bob:builder", "carol:cellar")
		now = now.Add(time.Minute)
		before := g.users.Load()
		g.open = asked
		read()
		require.NotSame(t, before, g.users.Load())
		require.NotContains(t, g.current(now.Add(time.Minute)).byName, "alice", "the change is seen")
		now = now.Add(2 * time.Minute)
	}
}
