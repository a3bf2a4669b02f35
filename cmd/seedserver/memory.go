package main

import (
	"bufio"
	"bytes"
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

// limitMemory makes the collector work harder before the memory that the cgroup grants is used up, unless GOMEMLIMIT says what it may
// use: a tenth is left for what the runtime does not count.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		if most := cgroupMemory(os.DirFS("/")); most > 0 {
			debug.SetMemoryLimit(most - most/10)
		}
	}
}

// memoryLimit returns the limit that is in force, in bytes, and false if there is none.
func memoryLimit() (int64, bool) {
	limit := debug.SetMemoryLimit(-1)
	return limit, limit < math.MaxInt64
}

// cgroupMemory returns how much memory the cgroup of this process may use, in bytes, 0 for no limit: the least of its own limit and those
// of the cgroups above it. A container sees itself at the root of the hierarchy. See cgroups(7); system is the file system of the system.
func cgroupMemory(system fs.FS) int64 {
	b, err := fs.ReadFile(system, "proc/self/cgroup")
	if err != nil {
		return 0 // this system has none
	}
	least := int64(math.MaxInt64)
	for line := range strings.Lines(string(b)) {
		id, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, at, _ := strings.Cut(rest, ":")
		switch {
		case id == "0":
			least = min(least, limitV2(system, at))
		case controllers == "memory":
			least = min(least, limitV1(system, at))
		}
	}
	const none = math.MaxInt64 >> 12 << 12 // how version 1 says that there is no limit: whole pages
	if least >= none {
		return 0
	}
	return least
}

// limitV2 returns the least memory.max from the cgroup at a path up to the root.
func limitV2(system fs.FS, at string) int64 {
	least := int64(math.MaxInt64)
	for dir := path.Join("/", at); ; dir = path.Dir(dir) {
		b, err := fs.ReadFile(system, path.Join("sys/fs/cgroup", dir, "memory.max"))
		if n, err2 := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64); err == nil && err2 == nil {
			least = min(least, n)
		}
		if dir == "/" {
			return least
		}
	}
}

// limitV1 returns what version 1 has added up of the cgroup at a path and those above it.
func limitV1(system fs.FS, at string) int64 {
	const root = "sys/fs/cgroup/memory"
	b, err := fs.ReadFile(system, path.Join(root, path.Join("/", at), "memory.stat"))
	if err != nil {
		b, err = fs.ReadFile(system, path.Join(root, "memory.stat"))
	}
	if err != nil {
		return math.MaxInt64
	}
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "hierarchical_memory_limit "); ok {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil {
				return n
			}
		}
	}
	return math.MaxInt64
}
