package main

import (
	"slices"
	"testing"
	"testing/fstest"
)

const (
	routes   = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
	loopback = "00000000000000000000000000000001 01 80 10 80       lo\n"
	global   = "fd000000000000000000000000000002 02 40 00 80     eth0\n"
	local    = "fe800000000000000000000000000002 02 40 20 80     eth0\n"
	docker   = "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
)

func network(route, inet6 string) fstest.MapFS {
	return fstest.MapFS{
		"proc/net/route":    {Data: []byte(route)},
		"proc/net/if_inet6": {Data: []byte(inet6)},
	}
}

func TestAddressesAreOfIPv6OnlyWithoutIPv4(t *testing.T) {
	only := []setting{{hostName, "::"}, {addressName, "[::]"}}
	for name, each := range map[string]struct {
		root   fstest.MapFS
		wanted []setting
	}{
		"IPv6 alone":       {network(routes, loopback+local+global), only},
		"both":             {network(routes+docker, loopback+global), nil},
		"IPv4 alone":       {network(routes+docker, ""), nil},
		"link-local alone": {network(routes, loopback+local), nil},
		"no network":       {network(routes, loopback), nil},
		"routes unknown":   {fstest.MapFS{"proc/net/if_inet6": {Data: []byte(global)}}, nil},
		"empty routes":     {network("", global), nil},
		"nothing to read":  {fstest.MapFS{}, nil},
	} {
		if found := addresses(variables(), each.root); !slices.Equal(found, each.wanted) {
			t.Errorf("%s: %v", name, found)
		}
	}
}

func TestHostOfTheUserWins(t *testing.T) {
	root := network(routes, global)
	for host, address := range map[string]string{
		"0.0.0.0": "0.0.0.0", "fd00::2": "[fd00::2]", "[::]": "[::]", "localhost": "localhost",
	} {
		found := addresses(variables(hostName, host), root)
		if !slices.Equal(found, []setting{{addressName, address}}) {
			t.Errorf("%s: %v", host, found)
		}
	}
}
