// Package downloader downloads nothing.
package downloader

import (
	"context"
	"errors"
)

// Options has no options.
type Options struct{}

// Download fails.
func Download(context.Context, string, string, string, Options) (string, error) {
	return "", errors.New("built without downloads")
}
