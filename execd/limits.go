package main

import (
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

const (
	// Where every container runtime mounts them. Reading mount tables would find the same.
	mounted = "sys/fs/cgroup"
	// Version 1 says "no limit" with the largest whole number of pages in 63 bits.
	noLimit = 1 << 60
)

// limits are the resources that the container may use.
type limits struct {
	memory uint64  // bytes; 0: not limited, or unknown
	cpus   float64 // a fraction if there is a quota; at most those of the machine
}

// readLimits returns the smallest limits of all groups of this process, on a machine with that many
// CPUs. root is the file system; a file that cannot be read or parsed is no limit.
//
// https://docs.kernel.org/admin-guide/cgroup-v2.html
// https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
func readLimits(root fs.FS, cpus int) limits {
	found := limits{memory: noLimit, cpus: float64(cpus)}
	for _, group := range groups(root) {
		found.memory = min(found.memory, memoryOf(root, group))
		found.cpus = min(found.cpus, cpusOf(root, group))
	}
	if found.memory >= noLimit {
		found.memory = 0
	} else if total := machineMemory(root); total > 0 {
		found.memory = min(found.memory, total)
	}
	return found
}

// groups returns the directories of the groups of this process, of both versions, and of all the
// groups above them, whose limits count too.
//
// A container usually sees its own group as the top one, but may get its path on the host: then the
// groups below the top do not exist.
func groups(root fs.FS) []string {
	found := []string{mounted, mounted + "/memory", mounted + "/cpu"}
	for line := range strings.Lines(text(root, "proc/self/cgroup")) {
		// number:controllers:path, the controllers empty in version 2
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		top := path.Join(mounted, hierarchy(fields[1]))
		for group := path.Clean("/" + fields[2]); group != "/"; group = path.Dir(group) {
			found = append(found, path.Join(top, group))
		}
	}
	return found
}

// hierarchy returns the directory of the groups of these controllers.
func hierarchy(controllers string) string {
	for name := range strings.SplitSeq(controllers, ",") {
		// Those that are mounted together (cpu,cpuacct) have a link each by its own name.
		if name == "memory" || name == "cpu" {
			return name
		}
	}
	return ""
}

func memoryOf(root fs.FS, group string) uint64 {
	smallest := uint64(noLimit)
	for _, name := range []string{"memory.max", "memory.limit_in_bytes"} {
		if bytes, err := strconv.ParseUint(text(root, path.Join(group, name)), 10, 64); err == nil && bytes > 0 {
			smallest = min(smallest, bytes)
		}
	}
	return smallest
}

func cpusOf(root fs.FS, group string) float64 {
	quota, period, _ := strings.Cut(text(root, path.Join(group, "cpu.max")), " ")
	first := share(quota, period)
	quota = text(root, path.Join(group, "cpu.cfs_quota_us"))
	period = text(root, path.Join(group, "cpu.cfs_period_us"))
	return min(first, share(quota, period))
}

// share returns how many CPUs quota microseconds in each period are.
func share(quota, period string) float64 {
	used, err := strconv.ParseUint(quota, 10, 63) // "max" and -1 are no limit
	if err != nil || used == 0 {
		return math.Inf(1)
	}
	of, err := strconv.ParseUint(period, 10, 63)
	if err != nil || of == 0 {
		return math.Inf(1)
	}
	return float64(used) / float64(of)
}

// machineMemory returns the bytes of memory of the machine; 0: unknown.
func machineMemory(root fs.FS) uint64 {
	for line := range strings.Lines(text(root, "proc/meminfo")) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == "MemTotal:" {
			kilobytes, err := strconv.ParseUint(fields[1], 10, 53)
			if err == nil {
				return kilobytes * 1024
			}
		}
	}
	return 0
}

// text returns the text of the file without the space around it; "" if it cannot be read.
func text(root fs.FS, name string) string {
	content, err := fs.ReadFile(root, name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(content))
}
