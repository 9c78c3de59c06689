package file

import (
	"errors"
	"net/http"

	"github.com/wagoodman/go-progress"

	"github.com/anchore/clio"
)

var errNoDownloads = errors.New("built without downloads")

// Getter downloads a file.
type Getter interface {
	GetFile(dst, src string, monitor ...*progress.Manual) error
	GetToDir(dst, src string, monitor ...*progress.Manual) error
}

type noDownloads struct{}

// NewGetter returns a Getter that refuses everything.
func NewGetter(clio.Identification, *http.Client) Getter {
	return noDownloads{}
}

func (noDownloads) GetFile(string, string, ...*progress.Manual) error {
	return errNoDownloads
}

func (noDownloads) GetToDir(string, string, ...*progress.Manual) error {
	return errNoDownloads
}
