package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// The seeds run with the other tests; make fuzz goes on with others.

func FuzzLimits(f *testing.F) {
	for _, group := range []string{
		"0::/\n", "9:cpu,cpuacct:/a/b\n8:memory:/a\n", "0::/../../etc\n", "::::", "0::" + strings.Repeat("/a", 200),
		"0::/\x00\n", "0::/\xff\n",
	} {
		f.Add(group, "536870912", "150000 100000", "MemTotal: 16384000 kB\n")
		f.Add(group, "max", "max 100000", "MemTotal:\n")
		f.Add(group, "-1", "-1 0", "MemTotal: 99999999999999999999 kB")
		f.Add(group, strings.Repeat("9", 5000), "1 18446744073709551615", "")
		f.Add(group, "0", "9223372036854775807 1", "MemTotal: -5 kB")
	}
	f.Fuzz(func(t *testing.T, group, memory, cpu, machine string) {
		found := readLimits(files(
			"proc/self/cgroup", group, "proc/meminfo", machine,
			"sys/fs/cgroup/memory.max", memory, "sys/fs/cgroup/cpu.max", cpu,
			"sys/fs/cgroup/memory/memory.limit_in_bytes", memory,
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us", cpu, "sys/fs/cgroup/cpu/cpu.cfs_period_us", memory,
		), 4)
		if found.memory >= noLimit || !(found.cpus >= 0 && found.cpus <= 4) {
			t.Errorf("limits %v", found)
		}
		if count := workers(found); count < 1 || count > 9 {
			t.Errorf("%d workers", count)
		}
	})
}

func FuzzAccount(f *testing.F) {
	for _, users := range []string{
		"root:x:0:0:root:/root:/bin/bash\n", "cnb:x:1000:1000::/home/cnb:", ":::::::\n", "a:b", "1000",
		"x:x:1000:1000:::\x00\n", strings.Repeat(":", 100_000), strings.Repeat("a\n", 50_000),
	} {
		f.Add(users, 1000)
		f.Add(users, -1)
	}
	f.Fuzz(func(t *testing.T, users string, number int) {
		own := accountOf(files("etc/passwd", users), number)
		if strings.ContainsAny(own.name+own.home, ":\n") {
			t.Errorf("account %q", own)
		}
	})
}

func FuzzDocument(f *testing.F) {
	for _, value := range []string{
		"", "a\"b\\c", "a\nb = \"c\"", "\x00\x1b\x7f", "\xff", "\u2028\U0001f40d", strings.Repeat("\"", 100_000),
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		toml := document([]setting{{"A", value}})
		if !utf8.ValidString(value) {
			if toml != "" {
				t.Errorf("%q of bytes that are no text", toml)
			}
			return
		}
		inner, closed := strings.CutSuffix(toml, "\"\n")
		inner, opened := strings.CutPrefix(inner, "A = \"")
		if !opened || !closed || strings.ContainsFunc(inner, func(each rune) bool { return each < ' ' || each == 0x7f }) {
			t.Errorf("%q", toml)
		}
		// No quotation mark ends the string early.
		if strings.Contains(strings.NewReplacer(`\\`, "", `\"`, "").Replace(inner), `"`) {
			t.Errorf("%q", toml)
		}
	})
}

func FuzzCertificates(f *testing.F) {
	pem := "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
	for _, content := range []string{
		"", pem, pem + "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", pem[:40], "\x00\xff",
		strings.Repeat("-----BEGIN CERTIFICATE-----\n", 5_000), strings.Repeat(pem, 1_000), strings.Repeat("-", 100_000),
	} {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		file := filepath.Join(t.TempDir(), "a.pem")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if found := certificatesIn(file); bytes.Contains(found, []byte("PRIVATE KEY")) {
			t.Errorf("%q", found)
		}
	})
}

func FuzzLibraries(f *testing.F) {
	for _, value := range []string{
		"", ":", "/layers/x/venv/lib", "/layers/x/venv/lib:/a::", "\x00\xff\n", strings.Repeat(":", 100_000),
	} {
		f.Add(value, "/layers/x/defaults/exec.d/defaults")
		f.Add(value, "")
	}
	f.Fuzz(func(t *testing.T, value, program string) {
		user := func(string) (string, bool) { return value, true }
		for _, each := range libraries(user, program) {
			if len(each.value) >= len(value) {
				t.Errorf("%q of %q", each.value, value)
			}
		}
	})
}

func FuzzListening(f *testing.F) {
	for _, content := range []string{
		"", "GRADIO_SERVER_NAME=0.0.0.0\nGRADIO_SERVER_PORT=$PORT\nGUNICORN_CMD_ARGS=$BIND\n", "=\n==\n\x00", strings.Repeat("A=b\n", 10_000),
	} {
		for _, host := range []string{"", "::", "\x00"} {
			f.Add([]byte(content), "8080", host)
			f.Add([]byte(content), "", host)
		}
	}
	f.Fuzz(func(t *testing.T, content []byte, number, host string) {
		file := filepath.Join(t.TempDir(), "variables")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		user := func(name string) (string, bool) { return number, name == port }
		for _, each := range listening(user, file, host) {
			if each.value == "" || strings.ContainsAny(each.name, "=\n") {
				t.Errorf("%q", each)
			}
		}
	})
}
