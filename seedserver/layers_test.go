package seedserver_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/seedserver/bittorrent"

// layers is the whole import diagram: each package, and those of ours it may import. Changing it is a design review.
var layers = map[string][]string{
	// vocabulary
	"/bencode":          {},
	"/bencode/compact":  {},
	"/bencode/metainfo": {"/bencode"},
	// decisions and codecs
	"/peerwire":           {},
	"/peerwire/extension": {"/bencode", "/bencode/compact"},
	"/piecepicker":        {},
	"/dht":                {"/bencode/compact", "/dht/krpc"},
	"/dht/krpc":           {"/bencode", "/bencode/compact"},
	"/dht/dhtnet":         {"/bencode", "/bencode/compact", "/dht"},
	"/tracker":            {"/bencode/compact"},
	// drivers and stores
	"/piecepicker/swarmsim": {"/piecepicker"},
	"/tracker/peerstore":    {"/tracker"},
	"/tracker/udptracker":   {"/bencode/compact", "/tracker", "/tracker/peerstore"},
	"/tracker/httptracker":  {"/bencode", "/bencode/compact", "/tracker", "/tracker/peerstore"},
	"/tracker/trackernet":   {"/tracker", "/tracker/httptracker", "/tracker/udptracker"},
	// the server's parts: they meet only in package seedserver
	"/seedserver/access":    {},
	"/seedserver/accesslog": {},
	"/seedserver/admission": {"/bencode/metainfo", "/tracker"},
	"/seedserver/budget":    {},
	"/seedserver/catalog":   {"/bencode/metainfo"},
	"/seedserver/choke":     {},
	"/seedserver/ledger":    {},
	"/seedserver/lsd":       {},
	"/seedserver/storage":   {},
	"/seedserver/swarm": {"/bencode/metainfo", "/peerwire", "/peerwire/extension", "/piecepicker",
		"/seedserver/choke", "/seedserver/storage", "/seedserver/swarm/candidates"},
	"/seedserver/swarm/candidates": {},
	"/seedserver/web/asset":        {},
	"/seedserver/web":              {"/bencode/metainfo", "/seedserver/web/asset"},
	"/seedserver/web/admin":        {"/bencode/metainfo", "/seedserver/web/asset"},
	// composition
	"/seedserver": {"/bencode/metainfo", "/dht", "/dht/dhtnet", "/peerwire", "/piecepicker", "/tracker", "/tracker/peerstore", "/tracker/httptracker",
		"/tracker/udptracker", "/seedserver/access", "/seedserver/admission",
		"/seedserver/accesslog", "/seedserver/budget", "/seedserver/catalog", "/seedserver/ledger", "/seedserver/lsd", "/seedserver/storage", "/seedserver/swarm",
		"/seedserver/swarm/candidates", "/tracker/trackernet",
		"/seedserver/web", "/seedserver/web/admin"},
	"/cmd/bench": {"/bencode/metainfo", "/peerwire", "/tracker", "/tracker/udptracker"},
	"/cmd/seedserver": {"/bencode/metainfo", "/dht", "/dht/dhtnet", "/seedserver", "/seedserver/budget", "/seedserver/catalog", "/seedserver/ledger",
		"/seedserver/storage", "/tracker", "/tracker/trackernet"},
}

// TestLayers holds the rule "imports point down only": no package imports one of ours that the diagram does not name.
func TestLayers(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"/...").Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], module)
		allowed, known := layers[pkg]
		require.True(t, known, "%s is not in the layer diagram", pkg)
		for _, imp := range fields[1:] {
			if imp, ours := strings.CutPrefix(imp, module); ours {
				require.True(t, slices.Contains(allowed, imp), "%s may not import %s", pkg, imp)
			}
			if imp == "github.com/zeebo/bencode" {
				require.Equal(t, "/bencode", pkg, "only package bencode may import zeebo/bencode")
			}
		}
	}
}

// TestOneAtATime: what decides is pure, and starts nothing that runs beside it.
func TestOneAtATime(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{$dir := .Dir}}{{range .GoFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}`,
		module+"/piecepicker/...", module+"/dht").Output()
	require.NoError(t, err)
	for _, file := range strings.Fields(string(out)) {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		for _, imp := range f.Imports {
			require.NotContains(t, imp.Path.Value, "sync", file)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			_, starts := n.(*ast.GoStmt)
			require.False(t, starts, "%s starts a goroutine", file)
			return true
		})
	}
}
