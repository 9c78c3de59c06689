// Package misconf has no scanners for misconfiguration.
package misconf

// ScannerOption has only what a cache key is made of.
type ScannerOption struct {
	PolicyPaths []string
	DataPaths   []string
}

// Sort has nothing to sort.
func (*ScannerOption) Sort() {}
