package main

import (
	"testing"
	"testing/fstest"
	"testing/quick"
)

const (
	mb        = 1 << 20
	machine   = "MemTotal:       16384000 kB\nMemFree:         1000000 kB\n"
	unlimited = "9223372036854771712\n" // as version 1 has it
)

// files returns a file system of texts by path.
func files(pairs ...string) fstest.MapFS {
	made := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		made[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return made
}

func TestLimits(t *testing.T) {
	for name, each := range map[string]struct {
		root fstest.MapFS
		want limits
	}{
		"nothing to read": {files(), limits{0, 4}},
		"version 2, its own group as the top": {
			files(
				"proc/self/cgroup", "0::/\n",
				"sys/fs/cgroup/memory.max", "536870912\n",
				"sys/fs/cgroup/cpu.max", "150000 100000\n",
			),
			limits{512 * mb, 1.5},
		},
		"version 2 without limits": {
			files(
				"proc/self/cgroup", "0::/\n",
				"sys/fs/cgroup/memory.max", "max\n",
				"sys/fs/cgroup/cpu.max", "max 100000\n",
			),
			limits{0, 4},
		},
		"version 2, the group by its path on the host": {
			files(
				"proc/self/cgroup", "0::/system.slice/docker-1.scope\n",
				"sys/fs/cgroup/system.slice/docker-1.scope/memory.max", "536870912\n",
				"sys/fs/cgroup/system.slice/docker-1.scope/cpu.max", "50000 100000\n",
			),
			limits{512 * mb, 0.5},
		},
		"version 2, the limits of a group above": {
			files(
				"proc/self/cgroup", "0::/kubepods/pod1/app\n",
				"sys/fs/cgroup/kubepods/pod1/memory.max", "1073741824\n",
				"sys/fs/cgroup/kubepods/pod1/app/memory.max", "max\n",
				"sys/fs/cgroup/kubepods/cpu.max", "200000 100000\n",
				"sys/fs/cgroup/kubepods/pod1/app/cpu.max", "300000 100000\n",
			),
			limits{1024 * mb, 2},
		},
		"version 1 in a container, told its path on the host": {
			files(
				"proc/self/cgroup", "5:memory:/docker/1\n3:cpu,cpuacct:/docker/1\n1:name=systemd:/docker/1\n",
				"sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n",
				"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "25000\n",
				"sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n",
			),
			limits{256 * mb, 0.25},
		},
		"version 1 on a host": {
			files(
				"proc/self/cgroup", "5:memory:/a/b\n3:cpu:/a\n",
				"sys/fs/cgroup/memory/memory.limit_in_bytes", unlimited,
				"sys/fs/cgroup/memory/a/memory.limit_in_bytes", "3221225472\n",
				"sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "2147483648\n",
				"sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "300000\n",
				"sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n",
			),
			limits{2048 * mb, 3},
		},
		"version 1 without limits": {
			files(
				"sys/fs/cgroup/memory/memory.limit_in_bytes", unlimited,
				"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n",
				"sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n",
			),
			limits{0, 4},
		},
		"both versions: the smaller counts": {
			files(
				"proc/self/cgroup", "4:memory:/\n0::/\n",
				"sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n",
				"sys/fs/cgroup/memory.max", "1073741824\n",
			),
			limits{512 * mb, 4},
		},
		"more memory than the machine has": {
			files("proc/meminfo", machine, "sys/fs/cgroup/memory.max", "109951162777600\n"),
			limits{16000 * mb, 4},
		},
		"the machine's memory is no limit": {files("proc/meminfo", machine), limits{0, 4}},
		"more CPUs than the machine has": {
			files("sys/fs/cgroup/cpu.max", "800000 100000\n"), limits{0, 4},
		},
		"a path that leads outside": {
			files("proc/self/cgroup", "0::/../../etc\n", "etc/memory.max", "1\n"), limits{0, 4},
		},
		"nonsense": {
			files(
				"proc/self/cgroup", "0::/\n::\nx\n\n5:memory\n",
				"proc/meminfo", "MemTotal:\nMemTotal: -5 kB\n",
				"sys/fs/cgroup/memory.max", "0\n",
				"sys/fs/cgroup/cpu.max", "0 0\n",
				"sys/fs/cgroup/memory/memory.limit_in_bytes", "99999999999999999999999\n",
				"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100\n",
				"sys/fs/cgroup/cpu/cpu.cfs_period_us", "0\n",
			),
			limits{0, 4},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := readLimits(each.root, 4); got != each.want {
				t.Errorf("got %v, want %v", got, each.want)
			}
		})
	}
}

// A directory in a file's place, which reading refuses.
func TestWhatCannotBeReadIsNoLimit(t *testing.T) {
	root := files("sys/fs/cgroup/memory.max/file", "1", "proc/self/cgroup/file", "1")

	if got := readLimits(root, 2); got != (limits{0, 2}) {
		t.Errorf("got %v", got)
	}
}

func TestNothingTheFilesSayEndsTheProgram(t *testing.T) {
	whatever := func(group, memory, cpu, quota, period, total string, cpus uint8) bool {
		found := readLimits(files(
			"proc/self/cgroup", "0::"+group+"\n4:memory:"+group,
			"proc/meminfo", "MemTotal: "+total,
			"sys/fs/cgroup/memory.max", memory,
			"sys/fs/cgroup/cpu.max", cpu,
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota,
			"sys/fs/cgroup/cpu/cpu.cfs_period_us", period,
		), int(cpus))
		return workers(found) >= 1 && found.cpus <= float64(cpus)
	}
	if err := quick.Check(whatever, nil); err != nil {
		t.Error(err)
	}
}
