package main

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestCgroupMemory(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"none", nil, 0},
		{"version 2", map[string]string{
			"proc/self/cgroup":                                         "0::/system.slice/seedserver.service\n",
			"sys/fs/cgroup/system.slice/memory.max":                    "max\n",
			"sys/fs/cgroup/system.slice/seedserver.service/memory.max": "104857600\n",
		}, 100 << 20},
		{"version 2, less above", map[string]string{
			"proc/self/cgroup":             "0::/a/b\n",
			"sys/fs/cgroup/a/memory.max":   "1000000\n",
			"sys/fs/cgroup/a/b/memory.max": "104857600\n",
		}, 1_000_000},
		{"version 2, without limit", map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n"}, 0},
		{"version 2, in a container", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "5000000\n"}, 5_000_000},
		{"version 2, above what is seen", map[string]string{"proc/self/cgroup": "0::/../../other\n", "sys/fs/cgroup/memory.max": "5000000\n"}, 5_000_000},
		{"version 1", map[string]string{
			"proc/self/cgroup":                   "5:devices:/\n4:memory:/a\n0::/\n",
			"sys/fs/cgroup/memory/a/memory.stat": "cache 0\nhierarchical_memory_limit 7000000\n",
		}, 7_000_000},
		{"version 1, in a container", map[string]string{
			"proc/self/cgroup":                 "4:memory:/docker/0123\n",
			"sys/fs/cgroup/memory/memory.stat": "hierarchical_memory_limit 7000000\n",
		}, 7_000_000},
		{"version 1, without limit", map[string]string{
			"proc/self/cgroup":                 "4:memory:/\n",
			"sys/fs/cgroup/memory/memory.stat": "hierarchical_memory_limit 9223372036854771712\n",
		}, 0},
		{"nonsense", map[string]string{"proc/self/cgroup": "\n::\n0\n0::\n:memory\n4:memory:\n", "sys/fs/cgroup/memory.max": "-\n"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			system := fstest.MapFS{}
			for name, text := range tt.files {
				system[name] = &fstest.MapFile{Data: []byte(text)}
			}
			require.Equal(t, tt.want, cgroupMemory(system))
		})
	}
}
