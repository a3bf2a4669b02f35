package catalog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJudgeName(t *testing.T) {
	tests := []struct {
		name   string
		kind   kind
		state  State // Settling is let in
		reason string
		hidden bool
	}{
		{name: "a.iso"},
		{name: "ubuntu 24.04 (ä).iso"},
		{name: "dir", kind: directory},
		{name: "x.torrent"},
		{name: "CVS"},
		{name: "core", kind: directory},
		{name: "cores"},
		{name: "tmp"},
		{name: "part"},
		{name: "a.part", state: Temporary, reason: "name ends in .part"},
		{name: "a.PART", state: Temporary, reason: "name ends in .PART"},
		{name: "a.partial", state: Temporary, reason: "name ends in .partial"},
		{name: "a.filepart", state: Temporary, reason: "name ends in .filepart"},
		{name: "a.crdownload", state: Temporary, reason: "name ends in .crdownload"},
		{name: "a.aria2", state: Temporary, reason: "name ends in .aria2"},
		{name: "a.tmp", state: Temporary, reason: "name ends in .tmp"},
		{name: "a.!qB", state: Temporary, reason: "name ends in .!qB"},
		{name: "a.!ut", state: Temporary, reason: "name ends in .!ut"},
		{name: "a~", state: Temporary, reason: "name ends in ~"},
		{name: "dir.part", kind: directory, state: Temporary, reason: "name ends in .part"},
		{name: ".a.iso.Xy12Zz", state: Temporary, reason: "rsync is writing it", hidden: true},
		{name: ".a.b", state: LeftOut, reason: "name starts with a dot", hidden: true},
		{name: ".seedserver.toml", state: LeftOut, reason: "name starts with a dot", hidden: true},
		{name: ".git", kind: directory, state: LeftOut, reason: "name starts with a dot", hidden: true},
		{name: ".DS_Store", state: LeftOut, reason: "name starts with a dot", hidden: true},
		{name: "core", state: LeftOut, reason: "junk", hidden: true},
		{name: "Thumbs.db", state: LeftOut, reason: "junk", hidden: true},
		{name: "desktop.ini", state: LeftOut, reason: "junk", hidden: true},
		{name: "CVS", kind: directory, state: LeftOut, reason: "junk", hidden: true},
		{name: "l", kind: symlink, state: LeftOut, reason: "symbolic link"},
		{name: "l", kind: fifo, state: LeftOut, reason: "FIFO"},
		{name: "l", kind: socket, state: LeftOut, reason: "socket"},
		{name: "l", kind: device, state: LeftOut, reason: "device"},
		{name: "l", kind: unknownKind, state: LeftOut, reason: "not a regular file"},
		{name: "bad\xff", state: LeftOut, reason: "name is not valid UTF-8"},
		{name: "two\nlines", state: LeftOut, reason: "name has a control character"},
		{name: "del\x7f", state: LeftOut, reason: "name has a control character"},
	}
	for _, tt := range tests {
		require.Equal(t, verdict{tt.state, tt.hidden, tt.reason}, judgeName(tt.name, tt.kind), "%q", tt.name)
	}
}

func TestWhatIsNoFileIsListedAndNeverAsked(t *testing.T) {
	w := newWorld(t, Config{})
	w.put("link", symlink)
	w.put("pipe", fifo)
	w.put("sock", socket)
	w.put("disk", device)
	w.start()
	w.pass(10 * second)
	require.Equal(t, "left out: symbolic link", w.entry("link").Describe())
	require.Equal(t, "left out: FIFO", w.entry("pipe").Describe())
	require.Equal(t, "left out: socket", w.entry("sock").Describe())
	require.Equal(t, "left out: device", w.entry("disk").Describe())
	require.Equal(t, 4, w.view.sum().Count(LeftOut))
}

func TestTemporaryNameBecomesAFile(t *testing.T) {
	w := newWorld(t, Config{}).start()
	w.write("a.iso.part", "x")
	w.pass(1000 * second)
	require.Equal(t, "temporary: name ends in .part", w.entry("a.iso.part").Describe())
	w.rename("a.iso.part", "a.iso")
	w.pass(3 * second)
	require.Equal(t, Published, w.state("a.iso"))
}

func TestCaps(t *testing.T) {
	w := newWorld(t, Config{MaxFiles: 8, MaxDepth: 2, MaxPath: 20})
	w.write("a/b/c/too-deep", "x")
	w.write("a/b/ok", "x")
	w.write("a/"+strings.Repeat("n", 19), "x")
	w.start()
	w.pass(11 * second)
	require.Equal(t, "left out: more than 2 directories deep", w.entry("a/b/c").Describe())
	require.Equal(t, Published, w.state("a/b/ok"))
	require.Equal(t, "left out: path longer than 20 bytes", w.entry("a/"+strings.Repeat("n", 19)).Describe())

	for _, name := range []string{"1", "2", "3", "4"} {
		w.write(name, name)
	}
	w.pass(2 * second)
	require.Equal(t, "directory: 2 entries left out: more than 8 files", w.entry("").Describe())
	require.Len(t, w.notes, 1)
	w.remove("a/b")
	w.pass(80 * second)
	require.Equal(t, "directory", w.entry("").Describe())
	require.Equal(t, 4, w.view.sum().Count(Published))
}
