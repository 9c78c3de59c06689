package main

import (
	"strconv"
	"testing"
	"testing/quick"
)

// variables returns a lookup in texts by name.
func variables(pairs ...string) lookup {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func TestWorkers(t *testing.T) {
	for _, each := range []struct {
		megabytes uint64
		cpus      float64
		want      int
	}{
		{64, 4, 1}, // at least one
		{255, 4, 1},
		{256, 4, 1},
		{511, 4, 1},
		{512, 4, 2},
		{512, 1, 2},
		{1024, 1, 3}, // two for the CPU and one more
		{1024, 8, 4},
		{2560, 8, 10},
		{14336, 4, 9},
		{14336, 0.1, 1}, // a tenth of a CPU has one worker busy
		{14336, 0.5, 2},
		{14336, 1.5, 4},
		{14336, 2, 5},
	} {
		got := workers(limits{each.megabytes * mb, each.cpus})
		if got != each.want {
			t.Errorf("%d MB and %v CPUs: got %d, want %d", each.megabytes, each.cpus, got, each.want)
		}
	}
}

func TestWorkersFitIntoMemoryAndOnCPUs(t *testing.T) {
	fit := func(memory uint64, hundredths uint16) bool {
		cpus := float64(hundredths) / 100
		number := workers(limits{memory, cpus})
		return number == 1 ||
			number > 1 && uint64(number) <= memory/workerBytes && float64(number) <= 2*cpus+1
	}
	if err := quick.Check(fit, nil); err != nil {
		t.Error(err)
	}
}

func TestMoreRoomNeverMeansFewerWorkers(t *testing.T) {
	grows := func(megabytes, moreMegabytes, hundredths, more uint16) bool {
		small := limits{uint64(megabytes) * mb, float64(hundredths) / 100}
		large := limits{
			uint64(megabytes)*mb + uint64(moreMegabytes)*mb,
			(float64(hundredths) + float64(more)) / 100,
		}
		return workers(small) <= workers(large)
	}
	if err := quick.Check(grows, nil); err != nil {
		t.Error(err)
	}
}

func TestOddLimitsMeanOneWorker(t *testing.T) {
	for _, each := range []limits{{0, 0}, {mb, -1}, {4096 * mb, -1}, {4096 * mb, 0}} {
		if got := workers(each); got != 1 {
			t.Errorf("%v: got %d", each, got)
		}
	}
}

func TestSettings(t *testing.T) {
	both := "WEB_CONCURRENCY = \"2\"\nFORWARDED_ALLOW_IPS = \"*\"\n"
	forwarding := "FORWARDED_ALLOW_IPS = \"*\"\n"
	for name, each := range map[string]struct {
		user   lookup
		memory uint64
		want   string
	}{
		"nothing is set":               {variables(), 512, both},
		"there is no limit":            {variables(), 0, forwarding},
		"the user's number counts":     {variables(concurrency, "7"), 512, forwarding},
		"whatever it is":               {variables(concurrency, "many"), 512, forwarding},
		"an empty number is not set":   {variables(concurrency, " "), 512, both},
		"the user's proxies count":     {variables(forwarded, "10.0.0.1"), 0, ""},
		"no proxy is trusted if empty": {variables(forwarded, ""), 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := document(settings(each.user, limits{each.memory * mb, 4}))
			if got != each.want {
				t.Errorf("got %q, want %q", got, each.want)
			}
		})
	}
}

func TestLine(t *testing.T) {
	room := limits{512 * mb, 1}
	for name, each := range map[string]struct {
		user      lookup
		container limits
		want      string
		single    bool
	}{
		"one worker by default": {
			variables(log, "1", concurrency, "1"), room,
			"WEB_CONCURRENCY=1, since the program may start uvicorn itself; 512 MB of memory and 1 CPU would give 2",
			true,
		},
		"another number in its place": {
			variables(log, "1", concurrency, "3"), limits{0, 1}, "WEB_CONCURRENCY=3, as set", true,
		},
		"not requested": {variables(), room, "", false},
		"silence":       {variables(log, "0"), room, "", false},
		"other silence": {variables(log, " No "), room, "", false},
		"a number is chosen": {
			variables(log, "1"), room, "WEB_CONCURRENCY=2 for 512 MB of memory and 1 CPU", false,
		},
		"a part of a CPU": {
			variables(log, "1"), limits{256 * mb, 1.0 / 3}, "WEB_CONCURRENCY=1 for 256 MB of memory and 0.33 CPUs", false,
		},
		"a number is set": {
			variables(log, "1", concurrency, "7"), room,
			"WEB_CONCURRENCY=7, as set; 512 MB of memory and 1 CPU would give 2", false,
		},
		"a number is set where there is no limit": {
			variables(log, "1", concurrency, "7"), limits{0, 1}, "WEB_CONCURRENCY=7, as set", false,
		},
		"there is no limit": {
			variables(log, "yes"), limits{0, 1},
			"WEB_CONCURRENCY is not set: the container has no memory limit to derive it from", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := line(each.user, each.container, each.single); got != each.want {
				t.Errorf("got %q, want %q", got, each.want)
			}
		})
	}
}

func TestTheLineTellsTheNumberThatIsSet(t *testing.T) {
	same := func(megabytes, hundredths uint16) bool {
		container := limits{uint64(megabytes)*mb + 1, float64(hundredths) / 100}
		number := strconv.Itoa(workers(container))
		said := line(variables(log, "1"), container, true)
		set := settings(variables(), container)[0]
		return set == setting{concurrency, number} && len(said) > 0 &&
			said[:len("WEB_CONCURRENCY=")+len(number)] == "WEB_CONCURRENCY="+number
	}
	if err := quick.Check(same, nil); err != nil {
		t.Error(err)
	}
}

func TestWhateverAValueHoldsTheLauncherCanReadIt(t *testing.T) {
	for value, want := range map[string]string{
		"*":                     "N = \"*\"\n",
		"/tmp/a b/ü/\u00ad.pem": "N = \"/tmp/a b/ü/\u00ad.pem\"\n",
		"a\"b\\c":               `N = "a\"b\\c"` + "\n",
		"a\nb\x7f\x00":          `N = "a\u000Ab\u007F\u0000"` + "\n",
		"/tmp/\xff":             "", // no text at all
	} {
		if got := document([]setting{{"N", value}}); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}
