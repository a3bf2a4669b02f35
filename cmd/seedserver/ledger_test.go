package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/ledger"
)

// filledLedger makes a state directory with two files, one of them with traffic of today.
func filledLedger(t *testing.T) (state string) {
	t.Helper()
	state = t.TempDir()
	l, err := ledger.Open(t.Context(), state)
	require.NoError(t, err)
	now := time.Now()
	versions := []ledger.Version{
		{Path: "a\x1b[2J\u202e.bin", InfoHash: [20]byte{1}, Published: now}, {Path: "quiet.bin", InfoHash: [20]byte{2}, Published: now},
		{Path: "gone.bin", InfoHash: [20]byte{3}, Published: now},
	}
	require.NoError(t, l.AddVersions(t.Context(), versions))
	require.NoError(t, l.Retire(t.Context(), now, versions[2]))
	l.AddBytes(now, versions[0].FileID, ledger.ClassNeed, 5<<20)
	l.AddBytes(now, versions[0].FileID, ledger.ClassHTTP, 100)
	l.AddBytes(now, versions[2].FileID, ledger.ClassAssist, 2048)
	l.AddCompleted(now, versions[0].FileID, 3<<20)
	require.NoError(t, l.Close())
	return state
}

// TestLedgerTables prints a ledger in each form.
func TestLedgerTables(t *testing.T) {
	state := filledLedger(t)
	today := time.Now().UTC().Format(time.DateOnly)
	for _, tt := range []struct{ args, want string }{
		{"", `
      today  this month      total  completed      saved  peers  file
    5.0 MiB     5.0 MiB    5.0 MiB          1   -2.0 MiB      0  a` + "\uFFFD[2J\uFFFD" + `.bin
    2.0 KiB     2.0 KiB    2.0 KiB          0   -2.0 KiB      0  gone.bin (not published now)
    5.0 MiB     5.0 MiB    5.0 MiB          1   -2.0 MiB      0  all together
1 more without traffic
`},
		{"--csv", `
today,this month,total,need,assist,rescue,plain,metadata,http,webseed,completed,saved,peers,file
5242980,5242980,5242980,5242880,0,0,0,0,100,0,1,-2097152,0,` + "a\x1b[2J\u202e.bin" + `
2048,2048,2048,0,2048,0,0,0,0,0,0,-2048,0,gone.bin
0,0,0,0,0,0,0,0,0,0,0,0,0,quiet.bin
`},
		{"--by day --csv", `
total,need,assist,rescue,plain,metadata,http,webseed,completed,saved,peers,day
5245028,5242880,2048,0,0,0,100,0,1,-2099200,0,` + today + `
`},
		{"--by month --csv", `
total,need,assist,rescue,plain,metadata,http,webseed,completed,saved,peers,month
5245028,5242880,2048,0,0,0,100,0,1,-2099200,0,` + today[:7] + `
`},
		{"--by class --csv", `
today,this month,total,class
5242880,5242880,5242880,need
2048,2048,2048,assist
0,0,0,rescue
0,0,0,plain
0,0,0,metadata
100,100,100,http
0,0,0,webseed
`},
	} {
		t.Run(tt.args, func(t *testing.T) {
			code, out, errs := cli(t, append([]string{"ledger", "--state", state}, strings.Fields(tt.args)...)...)
			require.Zero(t, code, errs)
			require.Equal(t, strings.Fields(tt.want), strings.Fields(out))
			require.Equal(t, strings.Count(tt.want, "\n")-1, strings.Count(out, "\n"))
		})
	}
	for _, by := range []string{"file", "day", "month", "class"} {
		code, out, errs := cli(t, "ledger", "--state", state, "--json", "--by", by)
		require.Zero(t, code, errs)
		var rows []map[string]any
		require.NoError(t, json.Unmarshal([]byte(out), &rows), out)
		require.Len(t, rows, map[string]int{"file": 3, "day": 1, "month": 1, "class": ledger.NumClasses}[by])
	}
}

// TestLedgerEmpty: of a server that never sent anything.
func TestLedgerEmpty(t *testing.T) {
	state := t.TempDir()
	l, err := ledger.Open(t.Context(), state)
	require.NoError(t, err)
	require.NoError(t, l.Close())
	for args, want := range map[string]string{
		"--json": "[]", "--by day --json": "[]",
		"--by day --csv": "total,need,assist,rescue,plain,metadata,http,webseed,completed,saved,peers,day",
	} {
		code, out, errs := cli(t, append([]string{"ledger", "--state", state}, strings.Fields(args)...)...)
		require.Zero(t, code, errs)
		require.Equal(t, want, strings.TrimSpace(out))
	}
}

// TestLedgerComplaints: what is wrong is said, with what to do about it.
func TestLedgerComplaints(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", "")
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"of what", nil, exitUsage, "--state"},
		{"never published", []string{t.TempDir()}, exitFailed, "was this directory ever published"},
		{"no such state", []string{"--state", filepath.Join(t.TempDir(), "no")}, exitFailed, "holds no ledger"},
		{"two forms", []string{"--csv", "--json", "."}, exitUsage, "can't be used together"},
		{"by what", []string{"--by", "moon", "."}, exitUsage, "file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := cli(t, append([]string{"ledger"}, tt.args...)...)
			require.Equal(t, tt.code, code)
			require.Empty(t, out)
			require.Contains(t, errs, tt.want)
		})
	}
}
