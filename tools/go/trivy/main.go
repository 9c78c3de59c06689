// Trivy without its command line: prints the package URL of each package that it lists.
//
//	trivy image DIRECTORY [SKIPPED ...]    of an image in an OCI image layout; without directories
//	trivy sbom FILE                        of an SBOM
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aquasecurity/trivy/pkg/cache"
	"github.com/aquasecurity/trivy/pkg/fanal/analyzer"
	_ "github.com/aquasecurity/trivy/pkg/fanal/analyzer/language/python/packaging"
	_ "github.com/aquasecurity/trivy/pkg/fanal/analyzer/os/debian"
	_ "github.com/aquasecurity/trivy/pkg/fanal/analyzer/os/release"
	_ "github.com/aquasecurity/trivy/pkg/fanal/analyzer/os/ubuntu"
	_ "github.com/aquasecurity/trivy/pkg/fanal/analyzer/pkg/dpkg"
	_ "github.com/aquasecurity/trivy/pkg/fanal/analyzer/sbom"
	"github.com/aquasecurity/trivy/pkg/fanal/applier"
	"github.com/aquasecurity/trivy/pkg/fanal/artifact"
	imageartifact "github.com/aquasecurity/trivy/pkg/fanal/artifact/image"
	sbomartifact "github.com/aquasecurity/trivy/pkg/fanal/artifact/sbom"
	_ "github.com/aquasecurity/trivy/pkg/fanal/handler/sysfile"
	"github.com/aquasecurity/trivy/pkg/fanal/image"
	"github.com/aquasecurity/trivy/pkg/fanal/types"
)

func open(command, argument string, skipped []string, memory cache.Cache) (artifact.Artifact, error) {
	switch command {
	case "image":
		archive, err := image.NewArchiveImage(argument)
		if err != nil {
			return nil, err
		}
		option := artifact.Option{Parallel: 2, Offline: true, NoProgress: true}
		option.WalkerOption.SkipDirs = skipped
		return imageartifact.NewArtifact(archive, memory, option)
	case "sbom":
		return sbomartifact.NewArtifact(argument, memory, artifact.Option{})
	}
	return nil, fmt.Errorf("unknown command %q", command)
}

func list(ctx context.Context, command, argument string, skipped []string) (types.ArtifactDetail, error) {
	memory := cache.NewMemoryCache()
	opened, err := open(command, argument, skipped, memory)
	if err != nil {
		return types.ArtifactDetail{}, err
	}
	found, err := opened.Inspect(ctx)
	if err != nil {
		return types.ArtifactDetail{}, err
	}
	detail, err := applier.NewApplier(memory).ApplyLayers(ctx, found.ID, found.BlobIDs)
	if errors.Is(err, analyzer.ErrUnknownOS) || errors.Is(err, analyzer.ErrNoPkgsDetected) {
		err = nil
	}
	return detail, err
}

func show(packages types.Packages) {
	for _, each := range packages {
		if each.Identifier.PURL != nil {
			fmt.Println(each.Identifier.PURL)
		}
	}
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: trivy image DIRECTORY [SKIPPED ...] | trivy sbom FILE")
		os.Exit(2)
	}
	detail, err := list(context.Background(), os.Args[1], os.Args[2], os.Args[3:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	show(detail.Packages)
	for _, each := range detail.Applications {
		show(each.Packages)
	}
}
