package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Inside a test's own network namespace 127.0.0.0/8 and 198.18.0.0/16 are local and nothing else exists: peers get addresses that
// no client takes for a local network, nothing can leave, and ports never collide.
const (
	serverIP = "198.18.0.1"
	proxyIP  = "198.18.0.2"
)

// clientIP is an address for the n-th client of a test, from 0.
func clientIP(n int) string { return fmt.Sprintf("198.18.1.%d", n+1) }

const insideNamespace = "SEEDSERVER_TEST_NAMESPACE"

// inNamespace runs the calling test again in a network and process namespace of its own, where it reports true. The caller that
// gets false has nothing left to do. All processes of the namespace end with it.
func inNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideNamespace) == t.Name() {
		return true
	}
	requireTool(t, "unshare", "util-linux")
	requireTool(t, "ip", "iproute2")
	if out, err := exec.Command("unshare", unshareArgs("true")...).CombinedOutput(); err != nil {
		missing(t, fmt.Sprintf("network namespaces (unshare: %s): run as root or allow user namespaces", bytes.TrimSpace(out)))
	}
	args := []string{os.Args[0], "-test.run", "^" + t.Name() + "$", "-test.count=1", "-test.parallel=32"} // subtests wait, mostly
	if testing.Verbose() {
		args = append(args, "-test.v")
	}
	if testing.Short() {
		args = append(args, "-test.short")
	}
	if f := flag.Lookup("test.timeout"); f != nil {
		args = append(args, "-test.timeout", f.Value.String())
	}
	script := `ip link set lo up && ip addr add ` + serverIP + `/16 dev lo && ip route add default dev lo src ` + serverIP + ` && exec "$@"`
	cmd := exec.Command("unshare", unshareArgs(append([]string{"sh", "-c", script, "sh"}, args...)...)...)
	cmd.Env = append(os.Environ(), insideNamespace+"="+t.Name(), serverBinaryEnv+"="+serverBinary(t))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("in its namespace: %v\n%s", err, out)
	}
	if testing.Verbose() {
		t.Log(string(out))
	}
	return false
}

func unshareArgs(command ...string) []string {
	args := []string{"--net", "--pid", "--fork", "--kill-child", "--mount-proc"}
	if os.Geteuid() != 0 {
		args = append(args, "--map-root-user")
	}
	return append(args, command...)
}

// requireTool skips the test, or fails it where all tools must be there, when a program is not installed.
func requireTool(t *testing.T, program, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		missing(t, program+": install the package "+pkg)
	}
}

// requireLibtorrent is requireTool for Python's libtorrent, which only Debian's own interpreter sees.
func requireLibtorrent(t *testing.T) {
	t.Helper()
	if err := exec.Command("/usr/bin/python3", "-c", "import libtorrent").Run(); err != nil {
		missing(t, "libtorrent: install the package python3-libtorrent")
	}
}

func missing(t *testing.T, what string) {
	t.Helper()
	if strings.EqualFold(os.Getenv("SEEDSERVER_INTEROP"), "require") {
		t.Fatal("this test needs ", what)
	}
	t.Skip("this test needs ", what)
}
