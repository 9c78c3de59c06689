package main

import (
	"io/fs"
	"strings"
)

const (
	// The address on which found commands listen, and the same with brackets if it is one of IPv6.
	hostName    = "BPL_PYTHON_HOST"
	addressName = "BPL_PYTHON_ADDRESS"

	everyIPv4 = "0.0.0.0"
	everyIPv6 = "::"
)

// addresses returns the variables by which servers listen on all addresses of a container without
// IPv4, where 0.0.0.0 gets no request. If the user sets the host, only the one with brackets.
func addresses(user lookup, root fs.FS) []setting {
	host, _ := user(hostName)
	host = strings.TrimSpace(host)
	if host != "" {
		return []setting{{addressName, bracketed(host)}}
	}
	if !hasOnlyIPv6(root) {
		return nil
	}
	return []setting{{hostName, everyIPv6}, {addressName, bracketed(everyIPv6)}}
}

// hostOf returns the host that found has, else that of the user; "": all addresses of IPv4.
func hostOf(user lookup, found []setting) string {
	for _, each := range found {
		if each.name == hostName {
			return each.value
		}
	}
	host, _ := user(hostName)
	return strings.TrimSpace(host)
}

func bracketed(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}

// hasOnlyIPv6: the container has an address of IPv6 that others reach, and no route of IPv4. What
// cannot be read shows nothing: IPv4 may be there.
//
// https://man7.org/linux/man-pages/man5/proc_pid_net.5.html
func hasOnlyIPv6(root fs.FS) bool {
	routes := text(root, "proc/net/route")
	if !strings.HasPrefix(routes, "Iface") {
		return false
	}
	for _, line := range strings.Split(routes, "\n")[1:] {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] != "lo" {
			return false
		}
	}
	for line := range strings.Lines(text(root, "proc/net/if_inet6")) {
		// address, index, length of the prefix, scope (00: global), flags, name
		fields := strings.Fields(line)
		if len(fields) == 6 && fields[3] == "00" && fields[5] != "lo" {
			return true
		}
	}
	return false
}
