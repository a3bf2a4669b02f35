package catalog

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRealTransfers lets the programs people use put a file into the directory,
// slowly. It is published once: when it is all there.
func TestRealTransfers(t *testing.T) {
	tests := []struct {
		name, program string
		args          []string // FROM and TO stand for the file and the directory
	}{
		{"rsync", "rsync", []string{"-a", "--bwlimit=2000", "FROM", "TO"}},
		{"rsync in place", "rsync", []string{"--inplace", "--bwlimit=2000", "FROM", "TO"}},
		{"cp with times", "cp", []string{"-p", "FROM", "TO"}},
		{"mv", "mv", []string{"FROM", "TO"}},
		{"install", "install", []string{"-m", "600", "FROM", "TO"}},
		{"slow pipe", "sh", []string{"-c", `for i in 1 2 3 4; do head -c 900000 FROM; sleep 0.5; done > TO/file.iso`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			program, err := exec.LookPath(tt.program)
			if err != nil {
				t.Skipf("%s is not here: apt install %s", tt.program, tt.program)
			}
			s := serve(t, Config{})
			from := filepath.Join(t.TempDir(), "file.iso")
			require.NoError(t, os.WriteFile(from, []byte(strings.Repeat("0123456789", 400_000)), 0o644))
			args := make([]string, len(tt.args))
			for i, a := range tt.args {
				args[i] = strings.NewReplacer("FROM", from, "TO", s.dir).Replace(a)
			}
			out, err := exec.Command(program, args...).CombinedOutput()
			require.NoError(t, err, string(out))
			s.awaitSeeded("file.iso")
			s.requireTold("publish file.iso")
		})
	}
}
